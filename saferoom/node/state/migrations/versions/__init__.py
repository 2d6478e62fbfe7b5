"""One file a version: `version_NNNN.py`. A version that was released is never changed again."""
