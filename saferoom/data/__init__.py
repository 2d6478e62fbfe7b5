"""A party's data room: describe, register, read, clean and prepare the party's own tables.

    dataset.yaml ──describe──▶ DatasetDescription ──register──▶ Registration (counts, version)
                                      │
                                    load ──▶ PartyTable ──keep_consented──▶ … ──Preparation──▶ matrix

Nothing in this room talks to another party, and no message it raises or logs repeats a value of the data.
"""

from saferoom.data.catalogue import Registration, check, forget, list_registered, recall, register
from saferoom.data.consent import ConsentBook, ConsentCounts, keep_consented, load_consent
from saferoom.data.dataset import DatasetDescription, describe, describe_file
from saferoom.data.identifiers import IdCounts
from saferoom.data.loading import load
from saferoom.data.preparation import Preparation, PreparationSettings
from saferoom.data.split import random_split
from saferoom.data.table import CategoryColumn, ColumnType, NumericColumn, PartyTable

__all__ = [
    "CategoryColumn",
    "ColumnType",
    "ConsentBook",
    "ConsentCounts",
    "DatasetDescription",
    "IdCounts",
    "NumericColumn",
    "PartyTable",
    "Preparation",
    "PreparationSettings",
    "Registration",
    "check",
    "describe",
    "describe_file",
    "forget",
    "keep_consented",
    "list_registered",
    "load",
    "load_consent",
    "random_split",
    "recall",
    "register",
]
