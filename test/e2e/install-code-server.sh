#!/usr/bin/env bash
# Installs code-server (VS Code with its real extension host, served to a browser) from npm alone: no release page is
# asked. `npm install --ignore-scripts`, then only those native modules are built that the server cannot start without.
#
#   test/e2e/install-code-server.sh [DIR [VERSION]]
#
# DIR defaults to $CODE_SERVER_DIR or ~/.cache/mlx-scope/code-server, VERSION to 4.100.3 (VS Code 1.100.3, wants Node 20).
# A finished installation of the same version is left as it is. Needs python3, make, g++ and pkg-config.
set -euo pipefail

DIR=${1:-${CODE_SERVER_DIR:-$HOME/.cache/mlx-scope/code-server}}
VERSION=${2:-4.100.3}
mkdir -p "$DIR"
DIR=$(cd "$DIR" && pwd)
DONE=$DIR/.installed
if [ "$(cat "$DONE" 2>/dev/null)" = "$VERSION" ]; then
  echo "code-server $VERSION is in $DIR"
  exit 0
fi
rm -f "$DONE"

# node-gyp would download the headers of Node; the running one usually has them beside its binary.
PREFIX=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
[ -d "$PREFIX/include/node" ] && export npm_config_nodedir=${npm_config_nodedir:-$PREFIX}
export npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false

quietly() { # LOG COMMAND…: shows the log's end only when the command fails
  local log=$1
  shift
  "$@" >>"$log" 2>&1 || {
    tail -30 "$log"
    return 1
  }
}
has_binary() { compgen -G "$1/build/Release/*.node" >/dev/null || compgen -G "$1/prebuilds/linux-*/*.node" >/dev/null; }

cd "$DIR"
[ -f package.json ] || echo '{ "private": true }' >package.json
echo "code-server $VERSION from npm, without install scripts"
npm install "code-server@$VERSION" --ignore-scripts --omit=dev --loglevel=error
# Passwords are hashed with argon2, and its absence stops the start even where no password is used.
quietly "$DIR/argon2.log" npm rebuild argon2 --foreground-scripts --ignore-scripts=false

cd node_modules/code-server/lib/vscode
echo "the bundled VS Code server's own dependencies"
npm install --omit=dev --ignore-scripts --loglevel=error
: >"$DIR/native.log"
for module in $(find node_modules -maxdepth 3 -name binding.gyp -printf '%h\n' | sort); do
  name=${module#node_modules/}
  # The terminal, the log and the watchdog decide whether the server starts; credentials and the like are not needed.
  case $name in node-pty | @vscode/spdlog | native-watchdog | @vscode/native-watchdog) ;; *) continue ;; esac
  echo "native module $name"
  # Judged by the binary: node-pty's last install step fails after the binary is made.
  npm rebuild "$name" --foreground-scripts --ignore-scripts=false >>"$DIR/native.log" 2>&1 || true
  has_binary "$module" || {
    tail -40 "$DIR/native.log"
    echo "no binary of $name was built" >&2
    exit 1
  }
done
# Links that the package's install script would have made.
if grep -q symlink_asar ../../postinstall.sh; then ln -sfn node_modules node_modules.asar; fi
ln -sfn code-server-linux.sh bin/remote-cli/code-server 2>/dev/null || true

cd "$DIR"
node node_modules/code-server/out/node/entry.js --config "$DIR/config.yaml" --version
echo "$VERSION" >"$DONE"
