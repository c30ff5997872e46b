from amlplatform.policies.pack import serve

serve()
