"""Prepares the metadata database of Airflow."""

import json
import os
import tempfile
from pathlib import Path

CONNECTION = {
    "conn_type": "freshet",
    "host": os.environ["FRESHET_URL"],
    "password": os.environ["FRESHET_TOKEN"],
}
UNKNOWN_TOKEN = {**CONNECTION, "password": "frt_unknown"}

# Airflow reads its settings when it is imported.
os.environ |= {
    "AIRFLOW_HOME": tempfile.mkdtemp(dir=os.getcwd()),  # noqa: PTH109
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__DAGS_FOLDER": str(Path(__file__).parent / "dags"),
    "AIRFLOW_CONN_FRESHET_DEFAULT": json.dumps(CONNECTION),
    "AIRFLOW_CONN_UNKNOWN_TOKEN": json.dumps(UNKNOWN_TOKEN),
    "AIRFLOW_CONN_UNREACHABLE": json.dumps({**CONNECTION, "host": "127.0.0.1", "port": 9}),
}

from airflow.utils.db import initdb  # noqa: E402

initdb()
