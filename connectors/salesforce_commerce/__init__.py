"""Salesforce Commerce Cloud B2C, a channel: SCAPI orders by polling, OCAPI stock, prices as price book files."""
