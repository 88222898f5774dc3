#!/bin/sh
# `paring` beside the service of paring.service: as its user, over its home, with its settings; see docs/deploy.md. For root.
#   install -m 0755 deploy/paring.sh /usr/local/bin/paring
if [ -t 0 ] && [ -t 1 ]; then how=--pty; else how=--pipe; fi
exec systemd-run --quiet "$how" --wait --collect --same-dir \
  -p User=paring -p DynamicUser=yes -p StateDirectory=paring -p StateDirectoryMode=0700 -p UMask=0077 \
  -p EnvironmentFile=-/etc/paring/paring.env -E PARING_HOME=/var/lib/paring -E PYTHONDONTWRITEBYTECODE=1 \
  /opt/paring/.venv/bin/paring "$@"
