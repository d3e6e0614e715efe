"""Extracts the account with dlt's REST source. The source consists of an incremental list and its child resource, configured as dlt's documentation describes."""

import os
import resource
import sys

import dlt
from dlt.sources.rest_api import rest_api_source

source = rest_api_source(
    {
        "client": {
            "base_url": os.environ["ORIGIN"] + "/api/v2/",
            "auth": {"type": "http_basic", "username": os.environ["KEY"], "password": "X"},
            "paginator": {"type": "page_number", "base_page": 1, "page_param": "page", "total_path": None},
        },
        "resources": [
            {
                "name": "tickets",
                "primary_key": "id",
                "endpoint": {
                    "path": "tickets",
                    "params": {
                        "per_page": 100,
                        "order_by": "updated_at",
                        "order_type": "asc",
                        "include": "description,stats",
                        "updated_since": "{incremental.start_value}",
                    },
                    "incremental": {"cursor_path": "updated_at", "initial_value": "1970-01-01T00:00:00Z"},
                },
            },
            {
                "name": "conversations",
                "primary_key": "id",
                "endpoint": {"path": "tickets/{resources.tickets.id}/conversations", "paginator": "single_page", "params": {"per_page": 100}},
            },
        ],
    }
)
pipeline = dlt.pipeline(
    pipeline_name="peer",
    pipelines_dir=os.environ["STATE"],
    destination=dlt.destinations.filesystem(bucket_url="file://" + os.environ["OUT"]),
    dataset_name="peer",
)
pipeline.run(source, loader_file_format="jsonl", write_disposition="append")
used = resource.getrusage(resource.RUSAGE_SELF)
print(f"CPU {used.ru_utime + used.ru_stime}", file=sys.stderr)
