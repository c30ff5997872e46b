"""One parallel job on the laptop: items, mini-batches, worker processes, with the semantics that Azure ML gives them.

Batch endpoints (`amlops.local.batch`) and parallel steps of pipelines (`amlops.local.jobs`) run on it.

settings     what a job runs with                      inputs        items and mini-batches
runner       one job from input to predictions         scheduler     retries, timeouts, the error threshold
plan         what a job will do, as a file             worklist      its mini-batches, fixed at the first start
journal      what is done, so that it can be resumed   __main__      a job as a process of its own
worker       runs in each worker process               processes     the same, seen from the parent
failures     which items failed, and why               report        the logs
typed_output the rows with types, order and keys      figures       what the report tells (report_page: as a page)
timeline     when which worker did what                sizing        the same job on other nodes
advice       what the settings should be               explain       how the items were counted
message      what the terminal says of a failed job
"""
