"""Generated from protos/saferoom/v1 by scripts/make_proto.sh; never edited."""
