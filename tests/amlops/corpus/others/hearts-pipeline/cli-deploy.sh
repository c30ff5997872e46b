set -e

#<name_endpoint>
ENDPOINT_NAME="hearts-pipeline"
#</name_endpoint>

#<create_random_endpoint_name>
ENDPOINT_SUFFIX=$(echo 4711 | tr -dc 'a-zA-Z0-9' | fold -w 5 | head -n 1)
ENDPOINT_NAME="$ENDPOINT_NAME-$ENDPOINT_SUFFIX"
#</create_random_endpoint_name>

#<environment_registration>
az ml environment create -f environment/plain.yml
#</environment_registration>

#<model_registration>
if [ "$(az ml model show --name hearts-rule --label latest)" ]
then
  echo "Skipped"
else
  az ml model create --name hearts-rule --type custom_model --path rule
fi
az ml model create --name hearts-limits --type custom_model --path limits
#</model_registration>

#<data_registration>
az ml data create -f hearts.yml
az ml data show --name hearts-unlabeled --label latest
#</data_registration>

#<component_register>
az ml component create -f components/prepare/prepare.yml
#</component_register>

#<create_compute>
az ml compute create -n batch-cluster --type amlcompute --min-instances 0 --max-instances 5
#</create_compute>

#<create_endpoint>
az ml batch-endpoint create --name $ENDPOINT_NAME -f endpoint.yml
#</create_endpoint>

#<create_deployment>
az ml batch-deployment create --endpoint $ENDPOINT_NAME -f deployment.yml --set-default
#</create_deployment>

#<invoke_deployment_file>
JOB_NAME=$(az ml batch-endpoint invoke -n $ENDPOINT_NAME --f inputs.yml --query name -o tsv)
#</invoke_deployment_file>

#<stream_job_logs>
az ml job stream -n $JOB_NAME
echo "first: $(az ml job show -n $JOB_NAME --query status -o tsv)"
#</stream_job_logs>

#<child_jobs_names>
az ml job list --parent-job-name $JOB_NAME --query [].name -o tsv
#</child_jobs_names>

#<download_outputs>
az ml job download --name $JOB_NAME --output-name scores
#</download_outputs>

#<invoke_deployment_inline>
az ml batch-endpoint invoke --name $ENDPOINT_NAME --set inputs.input_data.type=uri_folder inputs.input_data.path=azureml:hearts-unlabeled@latest -o none
echo "completed: $(az ml job list --query "length([?status=='Completed'])")"
#</invoke_deployment_inline>

#<delete_endpoint>
az ml batch-endpoint delete -n $ENDPOINT_NAME --yes
#</delete_endpoint>
