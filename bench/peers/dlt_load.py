"""Loads the records of a file into PostgreSQL with dlt, using dlt's defaults or its fastest settings. Records are merged by primary key."""

import json
import os
import resource
import sys

import dlt

fast = os.environ["MODE"] == "fast"


@dlt.resource(name="tickets", primary_key="id", write_disposition="merge", max_table_nesting=0 if fast else None)
def tickets():
    with open(os.environ["FILE"], encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


pipeline = dlt.pipeline(
    pipeline_name="peer_" + os.environ["MODE"],
    pipelines_dir=os.environ["STATE"],
    destination=dlt.destinations.postgres(os.environ["WAREHOUSE"]),
    dataset_name="dlt_" + os.environ["MODE"],
)
pipeline.run(tickets(), loader_file_format="csv" if fast else None)
used = resource.getrusage(resource.RUSAGE_SELF)
print(f"CPU {used.ru_utime + used.ru_stime}", file=sys.stderr)
