"""SafeRoom (数据安全屋): joint credit models of data that are usable but invisible."""

__version__ = "0.1.0"
