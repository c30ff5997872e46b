"""What runs in a worker process. Standard library only at import, so that workers start fast.

A worker imports this package by its own name, `amlops_worker`, without anything of amlops around it: the modules in it
import each other relatively. The parent process uses the same modules as part of amlops.

worker_main    the file that a worker is started with      worker       its loop: commands in, events out
entryscript    the scoring script: loaded and called       scoring      one mini-batch from file names to result
returned       results: counted, as text, as typed rows    tablereader  rows of tables, with pandas
rows           which rows a mini-batch has                 helpers/     what scripts may import: azureml_user
"""
