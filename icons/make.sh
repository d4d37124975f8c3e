#!/usr/bin/env bash
# Makes the pictures the shell embeds from the drawings in this folder (Debian: librsvg2-bin).
set -euo pipefail
cd "$(dirname "$0")"
out=../src-tauri/icons
mkdir -p "$out"
rsvg-convert -w 512 -h 512 bellbird.svg -o "$out/icon.png"
rsvg-convert -w 128 -h 128 bellbird.svg -o "$out/128x128.png"
rsvg-convert -w 32 -h 32 bellbird.svg -o "$out/32x32.png"
for state in idle ringing call missed; do
  rsvg-convert -w 48 -h 48 "tray-$state.svg" -o "$out/tray-$state.png"
done
