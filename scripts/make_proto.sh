#!/usr/bin/env bash
# Makes saferoom/link/v1/*_pb2.py from protos/. The generator is pinned so that the code also runs on
# protobuf 6, which the `flower` extra needs.
set -euo pipefail
cd "$(dirname "$0")/.."
tools="$(mktemp -d)"
trap 'rm -rf "$tools"' EXIT
"${PYTHON:-python3}" -m venv "$tools"
"$tools/bin/python" -m pip install --quiet --disable-pip-version-check 'grpcio-tools==1.81.1'
mkdir -p saferoom/link/v1
"$tools/bin/python" -m grpc_tools.protoc -I protos/saferoom/v1 \
  --python_out=saferoom/link/v1 --pyi_out=saferoom/link/v1 protos/saferoom/v1/control.proto
cat > saferoom/link/v1/__init__.py <<'PY'
"""Generated from protos/saferoom/v1 by scripts/make_proto.sh; never edited."""
PY
