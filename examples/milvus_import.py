#!/usr/bin/env python3
"""Import the files of `scry store export` into Milvus, with pymilvus; docs/milvus.md, "Bulk import".

    milvus_import.py http://db.example.org:19530 COLLECTION FILE...

A FILE is named as the server sees it: in its bucket, or, where it keeps its data on a disk, by its path there. SCRY_MILVUS_USER and
SCRY_MILVUS_PASSWORD log in. Ends when all rows can be searched.
"""
import os
import sys
import time

from pymilvus import Collection, connections, utility

address, name, *files = sys.argv[1:]
connections.connect(uri=address, user=os.environ.get("SCRY_MILVUS_USER", ""), password=os.environ.get("SCRY_MILVUS_PASSWORD", ""))
collection = Collection(name)
waiting = {utility.do_bulk_insert(name, [file]): file for file in files}
rows = 0
while waiting:
    for task, file in list(waiting.items()):
        state = utility.get_bulk_insert_state(task)
        if state.failed_reason:
            sys.exit(f"{file}: {state.failed_reason}")
        if state.state_name == "Completed":
            print(f"{file}: {state.row_count} rows", flush=True)
            rows += state.row_count
            del waiting[task]
    time.sleep(0.5)
utility.wait_for_index_building_complete(name)
collection.load(_refresh=True)
utility.wait_for_loading_complete(name)
print(f"{rows} rows imported")
