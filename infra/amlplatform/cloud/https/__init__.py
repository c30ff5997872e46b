"""The second door of the offline Azure: Azure Resource Manager over HTTPS, on loopback, for the SDKs of Azure.

It leads to the same `ResourceManager` and the same state as the provider. Started by `python -m
amlplatform.cloud.https`; see `server.py`. What is answered stands in the table of `routes.py`.
"""
