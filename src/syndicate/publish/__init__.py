"""Puts effects in order: read, plan, record, render, intent, send, settle."""
