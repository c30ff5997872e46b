"""Streams: Event Hubs takes readings of devices, Stream Analytics aggregates them into the lake.

The job is made stopped, and a PUT does not start it: docs/options-data.md has the command.
"""

from __future__ import annotations

import dataclasses

import pulumi
from pulumi_azure_native import eventhub
from pulumi_azure_native import streamanalytics as asa

from amlplatform import endpoints, roles, streams
from amlplatform.components.context import Context, Part
from amlplatform.components.identity import own_principal
from amlplatform.database_roles import WINDOWS_TABLE
from amlplatform.request.options import Streaming as Asked

_NAME = "streaming"
_HUB, _JOBS_CONSUMER, _REPLAY_CONSUMER = "readings", "stream-analytics", "replay"
FOLDER = "readings"
"""Where aggregated readings lie in the lake's container curated, by day below it."""
_LATE_SECONDS, _OUT_OF_ORDER_SECONDS = 300, 10


class Streaming(pulumi.ComponentResource):
    """A namespace with one hub, and a job that reads it."""

    namespace: eventhub.Namespace
    job: asa.StreamingJob

    def __init__(self, name: str, context: Context, asked: Asked, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("amlplatform:streaming:Streaming", name, None, opts)
        self._context, self._child = context, pulumi.ResourceOptions(parent=self)
        self.namespace = self._namespace()
        consumer = self._hub(asked)
        self.job = self._job(asked, consumer)
        context.scopes["event_hubs"] = self.namespace.id
        context.principals["stream_analytics"] = own_principal(self.job.identity)
        ways = endpoints.OPTIONS[_NAME]
        context.parts += [
            Part("event-hubs", self.namespace, endpoints=ways.inbound, outbound=ways.outbound, diagnostics=("",)),
            Part("stream-analytics", self.job, diagnostics=("",)),
        ]
        context.assign_of(roles.option(_NAME), "streaming-access", self._child)
        self._let_in(asked)
        context.outputs["event_hubs"] = self.namespace.name
        self.register_outputs({"namespace": self.namespace.name})

    def _let_in(self, asked: Asked) -> None:
        """The row of the table for senders, once for each of them."""
        context, rows = self._context, []
        for object_id in asked.senders:
            principal = f"sender-{object_id.lower()}"
            context.principals[principal] = object_id
            rows += [dataclasses.replace(row, principal=principal) for row in context.rows if row.when == roles.SENDERS]
        context.assign("senders-access", rows, self._child)

    def _namespace(self) -> eventhub.Namespace:
        settings, group = self._context.settings, self._context.resource_group
        network, options = settings.network, settings.profile.options
        namespace = eventhub.Namespace(
            "event-hubs",
            namespace_name=settings.names.event_hubs,
            resource_group_name=group,
            location=settings.location,
            sku=eventhub.SkuArgs(name=eventhub.SkuName.STANDARD, tier=eventhub.SkuTier.STANDARD, capacity=1),
            is_auto_inflate_enabled=True,
            maximum_throughput_units=options.throughput_units,
            disable_local_auth=True,
            minimum_tls_version=eventhub.TlsVersion.TLS_VERSION_1_2,
            public_network_access=network.public_network_access,
            kafka_enabled=True,
            zone_redundant=settings.profile.geo_redundant and settings.region.zones,
            tags=settings.tags,
            opts=settings.holds_data(self),
        )
        eventhub.NamespaceNetworkRuleSet(
            "event-hubs-network",
            namespace_name=namespace.name,
            resource_group_name=group,
            default_action=network.firewall_default_action,
            public_network_access=network.public_network_access,
            # Stream Analytics reads a closed namespace as a trusted service, with its identity:
            # learn.microsoft.com/azure/event-hubs/private-link-service, "Trusted Microsoft services".
            trusted_service_access_enabled=True,
            ip_rules=[],
            virtual_network_rules=[],
            opts=self._child,
        )
        return namespace

    def _hub(self, asked: Asked) -> eventhub.ConsumerGroup:
        """The hub, a consumer group for the job, and one for jobs that replay readings."""
        settings, group = self._context.settings, self._context.resource_group
        hub = eventhub.EventHub(
            "event-hub",
            event_hub_name=_HUB,
            namespace_name=self.namespace.name,
            resource_group_name=group,
            partition_count=asked.partitions,
            retention_description=eventhub.RetentionDescriptionArgs(
                cleanup_policy=eventhub.CleanupPolicyRetentionDescription.DELETE,
                retention_time_in_hours=settings.profile.options.event_retention_hours,
            ),
            opts=settings.holds_data(self),
        )
        groups = [
            eventhub.ConsumerGroup(
                f"consumer-{consumer}",
                consumer_group_name=consumer,
                event_hub_name=hub.name,
                namespace_name=self.namespace.name,
                resource_group_name=group,
                opts=self._child,
            )
            for consumer in (_JOBS_CONSUMER, _REPLAY_CONSUMER)
        ]
        return groups[0]

    def _job(self, asked: Asked, consumer: eventhub.ConsumerGroup) -> asa.StreamingJob:
        settings = self._context.settings
        return asa.StreamingJob(
            "stream-analytics",
            job_name=settings.names.stream_analytics,
            resource_group_name=self._context.resource_group,
            location=settings.location,
            identity=asa.IdentityArgs(type="SystemAssigned"),
            sku=asa.SkuArgs(name=asa.SkuName.STANDARD),
            job_type=asa.JobType.CLOUD,
            compatibility_level=asa.CompatibilityLevel.COMPATIBILITY_LEVEL_1_2,
            content_storage_policy=asa.ContentStoragePolicy.SYSTEM_ACCOUNT,
            data_locale="en-US",
            events_late_arrival_max_delay_in_seconds=_LATE_SECONDS,
            events_out_of_order_max_delay_in_seconds=_OUT_OF_ORDER_SECONDS,
            # Adjusting would count a late reading in a window that it does not belong to.
            events_out_of_order_policy=asa.EventsOutOfOrderPolicy.DROP,
            # A row that cannot be written is dropped and logged; a job that stops for it would lose all that follow.
            output_error_policy=asa.OutputErrorPolicy.DROP,
            inputs=[self._input()],
            outputs=[self._lake(), *([self._database()] if self._context.asked.streams_to_sql else [])],
            transformation=asa.TransformationArgs(
                name="windows",
                query=streams.query(database=self._context.asked.streams_to_sql),
                streaming_units=asked.streaming_units,
            ),
            tags=settings.tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[consumer]),
        )

    def _input(self) -> asa.InputArgs:
        return asa.InputArgs(
            name="readings",
            properties=asa.StreamInputPropertiesArgs(
                type="Stream",
                datasource=asa.EventHubStreamInputDataSourceArgs(
                    type="Microsoft.ServiceBus/EventHub",
                    authentication_mode=asa.AuthenticationMode.MSI,
                    service_bus_namespace=self._context.settings.names.event_hubs,
                    event_hub_name=_HUB,
                    consumer_group_name=_JOBS_CONSUMER,
                ),
                serialization=asa.JsonSerializationArgs(type="Json", encoding=asa.Encoding.UTF8),
            ),
        )

    def _lake(self) -> asa.OutputArgs:
        """A closed lake lets the job in as a trusted service: learn.microsoft.com/azure/stream-analytics, "Use Managed
        Identity to authenticate your job to Azure Blob Storage"."""
        lake = self._context.core.lake
        return asa.OutputArgs(
            name="lake",
            datasource=asa.BlobOutputDataSourceArgs(
                type="Microsoft.Storage/Blob",
                authentication_mode=asa.AuthenticationMode.MSI,
                storage_accounts=[asa.StorageAccountArgs(account_name=lake.account_name)],
                container=lake.containers["curated"],
                path_pattern=f"{FOLDER}/{{date}}",
                date_format="yyyy/MM/dd",
                time_format="HH",
            ),
            serialization=asa.JsonSerializationArgs(
                type="Json", encoding=asa.Encoding.UTF8, format=asa.JsonOutputSerializationFormat.LINE_SEPARATED
            ),
        )

    def _database(self) -> asa.OutputArgs:
        names = self._context.settings.names
        return asa.OutputArgs(
            name="database",
            datasource=asa.AzureSqlDatabaseOutputDataSourceArgs(
                type="Microsoft.Sql/Server/Database",
                authentication_mode=asa.AuthenticationMode.MSI,
                server=names.sql_server,
                database=names.sql_database,
                table=WINDOWS_TABLE,
                max_batch_count=10_000,
                max_writer_count=1,
            ),
        )
