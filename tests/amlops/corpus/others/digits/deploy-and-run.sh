set -e

# <set_variables>
ENDPOINT_NAME="digits-batch"
ENDPOINT_SUFFIX="x7k2q"
ENDPOINT_NAME="$ENDPOINT_NAME-$ENDPOINT_SUFFIX"
# </set_variables>

# <register_model>
MODEL_NAME='digits-pickled'
az ml model create --name $MODEL_NAME --type "custom_model" --path "deployment-by-file/model"
# </register_model>

# <create_compute>
az ml compute create -n batch-cluster --type amlcompute --min-instances 0 --max-instances 5
# </create_compute>

# <create_endpoint>
az ml batch-endpoint create --file endpoint.yml  --name $ENDPOINT_NAME
az ml batch-endpoint show --name $ENDPOINT_NAME
# </create_endpoint>

# <create_deployment>
az ml batch-deployment create --file deployment-by-file/deployment.yml --endpoint-name $ENDPOINT_NAME --set-default
DEPLOYMENT_NAME="by-file"
az ml batch-deployment show --name $DEPLOYMENT_NAME --endpoint-name $ENDPOINT_NAME
# </create_deployment>

# <start_batch_scoring_job>
JOB_NAME=$(az ml batch-endpoint invoke --name $ENDPOINT_NAME --input data --input-type uri_folder --query name -o tsv)
az ml job show -n $JOB_NAME --web
az ml job stream -n $JOB_NAME
# </start_batch_scoring_job>

# <check_job_status>
STATUS=$(az ml job show -n $JOB_NAME --query status -o tsv)
echo "status: $STATUS"
if [ "$STATUS" != "Completed" ]
then
  exit 1
fi
# </check_job_status>

# <start_batch_scoring_job_set_output>
OUTPUT_FILE_NAME=predictions_4711.csv
OUTPUT_PATH="azureml://datastores/workspaceblobstore/paths/$ENDPOINT_NAME"
JOB_NAME=$(az ml batch-endpoint invoke --name $ENDPOINT_NAME --input data --output-path $OUTPUT_PATH --set output_file_name=$OUTPUT_FILE_NAME --query name -o tsv)
# </start_batch_scoring_job_set_output>

# <start_batch_scoring_job_overwrite>
JOB_NAME=$(az ml batch-endpoint invoke --name $ENDPOINT_NAME --input data --mini-batch-size 20 --instance-count 2 --query name -o tsv)
# </start_batch_scoring_job_overwrite>

# <download_outputs>
az ml job download --name $JOB_NAME --output-name score --download-path ./
# </download_outputs>

# <list_all_jobs>
az ml batch-deployment list-jobs --name $DEPLOYMENT_NAME --endpoint-name $ENDPOINT_NAME --query [].name
# </list_all_jobs>

# <test_deployment_non_default>
az ml batch-deployment create --file deployment-by-batch/deployment.yml --endpoint-name $ENDPOINT_NAME
DEPLOYMENT_NAME="by-batch"
JOB_NAME=$(az ml batch-endpoint invoke --name $ENDPOINT_NAME --deployment-name $DEPLOYMENT_NAME --input data --query name -o tsv)
echo "second: $(az ml job show -n $JOB_NAME --query status -o tsv)"
# </test_deployment_non_default>

# <update_default_deployment>
az ml batch-endpoint update --name $ENDPOINT_NAME --set defaults.deployment_name=$DEPLOYMENT_NAME
echo "default: $(az ml batch-endpoint show --name $ENDPOINT_NAME --query "defaults.deployment_name" -o tsv)"
az ml batch-endpoint show --name $ENDPOINT_NAME --query "{Name:name, Defaults:defaults}"
# </update_default_deployment>

# <with_the_place_of_the_workspace>
az ml batch-endpoint invoke --name $ENDPOINT_NAME --input data --resource-group rg --workspace-name ws --only-show-errors -o none
# </with_the_place_of_the_workspace>

# <delete>
az ml batch-deployment delete --name by-file --endpoint-name $ENDPOINT_NAME --yes
az ml batch-endpoint delete --name $ENDPOINT_NAME --yes --no-wait
# </delete>
