"""Measuring and deciding: functions of arrays and records."""
