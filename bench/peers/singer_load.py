"""Loads the records of a file with a published Singer target. The target runs in this process, so that its CPU time is measured."""

import json
import os
import resource
import sys
from urllib.parse import urlparse

from target_postgres.target import TargetPostgres

TYPES = {bool: ["boolean", "null"], int: ["integer", "null"], float: ["number", "null"], str: ["string", "null"]}


def infer_schema(records):
    properties = {}
    for record in records:
        for name, value in record.items():
            if value is not None or name not in properties:
                kind = TYPES.get(type(value), ["object", "array", "null"] if value is not None else ["string", "null"])
                known = properties.get(name)
                properties[name] = {"type": sorted(set(known["type"]) | set(kind)) if known else kind}
    return {"type": "object", "properties": properties}


with open(os.environ["FILE"], encoding="utf-8") as lines:
    records = [json.loads(line) for line in lines]
messages = os.environ["FILE"] + ".singer"
with open(messages, "w", encoding="utf-8") as out:
    out.write(json.dumps({"type": "SCHEMA", "stream": "tickets", "schema": infer_schema(records), "key_properties": ["id"]}) + "\n")
    for record in records:
        out.write(json.dumps({"type": "RECORD", "stream": "tickets", "record": record}) + "\n")
del records
before = resource.getrusage(resource.RUSAGE_SELF)
warehouse = urlparse(os.environ["WAREHOUSE"])
target = TargetPostgres(
    config={
        "host": warehouse.hostname,
        "port": warehouse.port,
        "user": warehouse.username,
        "password": warehouse.password,
        "database": warehouse.path[1:],
        "default_target_schema": "singer_" + os.environ["MODE"],
        "use_copy": os.environ["MODE"] == "fast",
    }
)
with open(messages, encoding="utf-8") as source:
    target.listen(source)
used = resource.getrusage(resource.RUSAGE_SELF)
print(f"CPU {used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime}", file=sys.stderr)
