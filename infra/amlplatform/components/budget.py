"""Budget: mails before the money is spent, not after. Azure does not stop anything when a budget is reached."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import consumption

from amlplatform.components.settings import Settings

_NOTIFICATIONS: dict[str, tuple[int, str]] = {
    "actual-80": (80, consumption.ThresholdType.ACTUAL),
    "actual-100": (100, consumption.ThresholdType.ACTUAL),
    "forecast-100": (100, consumption.ThresholdType.FORECASTED),
}


class Budget(pulumi.ComponentResource):
    """A monthly budget over the resource group. `amount` is in the currency of the subscription's billing account."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        *,
        scope: pulumi.Input[str],
        amount: int,
        start: str,
        email: str,
        action_group: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`start`: first day of a month, YYYY-MM-DD. `action_group`: id of the group that alerts tell too."""
        super().__init__("amlplatform:budget:Budget", name, None, opts)
        consumption.Budget(
            "budget",
            budget_name=settings.names.budget,
            scope=scope,
            category=consumption.CategoryType.COST,
            amount=amount,
            time_grain=consumption.TimeGrainType.MONTHLY,
            time_period=consumption.BudgetTimePeriodArgs(start_date=f"{start}T00:00:00Z"),
            notifications={
                key: consumption.NotificationArgs(
                    enabled=True,
                    operator=consumption.OperatorType.GREATER_THAN_OR_EQUAL_TO,
                    threshold=threshold,
                    threshold_type=kind,
                    # The mail is of its own, so that it comes even when the action group is gone or muted.
                    contact_emails=[email],
                    contact_groups=[action_group],
                    locale=consumption.CultureCode.EN_US,
                )
                for key, (threshold, kind) in _NOTIFICATIONS.items()
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
