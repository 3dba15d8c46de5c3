#!/bin/sh
# Installs Postern on Debian, Ubuntu or Fedora with systemd, from the checkout this file is in or from a package file
# (npm pack). Safe to run again: it replaces the program, never configuration or data. docs/install.md
set -eu

PREFIX=/opt/postern
CONFIG=/etc/postern/postern.toml
UNIT=/etc/systemd/system/postern.service
NODE_MAJOR_LEAST=20
# sudo of some systems leaves it out.
PATH=$PATH:/usr/local/bin

usage() {
  cat <<'END'
usage: sh deploy/install.sh [--domain NAME [--hostname NAME] [--admin ADDRESS]] [--package FILE] [--dry-run]

Without --domain only the program is installed, and "postern init" is left to you.

  --domain NAME     the part after the @ of your addresses
  --hostname NAME   full name of this machine (default: mail.DOMAIN)
  --admin ADDRESS   first account, an administrator (default: admin@DOMAIN)
  --package FILE    install this package (postern-*.tgz) instead of the checkout
  --dry-run         say what would be done, and do nothing
END
}

say() { printf '%s\n' "$*"; }
fail() {
  printf 'install: %s\n' "$*" >&2
  exit 1
}

# Do it, or with --dry-run only say so.
act() {
  if [ "$dry" = yes ]; then say "would run: $*"; else "$@"; fi
}

dry=no domain='' hostname='' admin='' package=''
while [ $# -gt 0 ]; do
  case $1 in
    --dry-run) dry=yes ;;
    --help | -h) usage && exit 0 ;;
    --domain | --hostname | --admin | --package)
      [ $# -ge 2 ] || fail "$1 needs a value"
      case $2 in '' | -*) fail "$1 needs a value" ;; esac
      case $1 in
        --domain) domain=$2 ;;
        --hostname) hostname=$2 ;;
        --admin) admin=$2 ;;
        --package) package=$2 ;;
      esac
      shift
      ;;
    *) usage >&2 && fail "there is no option $1" ;;
  esac
  shift
done
if [ -z "$domain" ] && [ -n "$hostname$admin" ]; then fail '--hostname and --admin need --domain'; fi
: "${hostname:=mail.$domain}" "${admin:=admin@$domain}"

here=$(cd "$(dirname "$0")/.." && pwd)

# What is there; for tests each can be said by a variable.
os_release=${POSTERN_OS_RELEASE:-/etc/os-release}
# shellcheck source=/dev/null
family=$(. "$os_release" 2>/dev/null && printf '%s %s' "${ID:-}" "${ID_LIKE:-}") || family=''
case " $family " in
  *' debian '* | *' ubuntu '*) family=debian ;;
  *' fedora '* | *' rhel '*) family=fedora ;;
  *) fail "this is for Debian, Ubuntu and Fedora; elsewhere follow docs/install.md by hand" ;;
esac

# Where the server of this machine keeps its data; nothing when there is none yet.
data_directory() {
  [ ! -r "$CONFIG" ] || sed -n 's/^data *= *"\(.*\)".*/\1/p' "$CONFIG"
}

node_major() {
  command -v node >/dev/null 2>&1 || { echo 0; return; }
  node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0
}

check() {
  if [ "$dry" = no ] && [ "$(id -u)" != 0 ]; then fail 'this has to be run as root (or with --dry-run)'; fi
  [ "$dry" = yes ] || [ -d /run/systemd/system ] || fail 'this machine does not run systemd; follow docs/install.md by hand'
  if [ -n "$package" ]; then
    [ -f "$package" ] || fail "there is no file $package"
  elif [ ! -f "$here/package-lock.json" ] || [ ! -f "$here/bin/postern.mjs" ]; then
    fail "$here is no checkout of Postern; name a package with --package"
  fi
  # What is in $PREFIX is replaced; a checkout there is yours.
  if [ -z "$package" ] && [ "$here" = "$PREFIX" ]; then
    fail "this checkout is in $PREFIX, where the program goes; move it elsewhere, or update it by hand (docs/install.md)"
  fi
  if [ -e "$PREFIX/.git" ]; then fail "$PREFIX is a checkout; update it by hand (docs/install.md), or move it elsewhere first"; fi
  # An update finds its own server there.
  if [ ! -e "$UNIT" ] && command -v ss >/dev/null 2>&1 && [ -n "$(ss -Hltn 'sport = :25')" ]; then
    taken='something listens on port 25 already (ss -ltnp "sport = :25" shows what); stop and remove it first'
    if [ "$dry" = yes ]; then say "would stop here: $taken"; else fail "$taken"; fi
  fi
}

# Only what is missing: a Node.js that is new enough and npm stay as they are.
install_node() {
  if [ "$(node_major)" -ge "$NODE_MAJOR_LEAST" ] && command -v npm >/dev/null 2>&1; then
    say "Node.js $(node --version) and npm are there."
    return
  fi
  case $family in
    debian)
      act apt-get update -q
      # Debian 12 has Node.js 18, which nobody has tried.
      offered=$(apt-cache show --no-all-versions nodejs 2>/dev/null | sed -n 's/^Version: \([0-9]*\).*/\1/p')
      if [ "${offered:-0}" -lt "$NODE_MAJOR_LEAST" ]; then
        fail "this system has no package of Node.js $NODE_MAJOR_LEAST or newer; install version 24 from nodejs.org, then run this again"
      fi
      act env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends nodejs npm
      ;;
    fedora) act dnf install -y -q nodejs npm ;;
  esac
  if [ "$dry" = no ] && [ "$(node_major)" -lt "$NODE_MAJOR_LEAST" ]; then
    fail "the Node.js of this system is $(node --version 2>/dev/null || echo missing); install version 24 from nodejs.org, then run this again"
  fi
}

# The new program is made beside the old one and takes its place in one step; the old one is kept until the next time.
install_program() {
  act rm -rf "$PREFIX.new"
  act install -d -m 755 "$PREFIX.new"
  if [ -n "$package" ]; then
    act npm install --prefix "$PREFIX.new" --omit=dev --no-fund --no-audit --ignore-scripts "$package"
    program=$PREFIX/node_modules/postern/bin/postern.mjs
  else
    for name in bin src web scripts docs package.json package-lock.json .npmrc LICENSE README.md ARCHITECTURE.md; do
      act cp -R "$here/$name" "$PREFIX.new/"
    done
    # All packages, then the web pages that are built with them, then only what the server needs.
    act npm run --prefix "$PREFIX.new" web
    act npm prune --prefix "$PREFIX.new" --omit=dev
    program=$PREFIX/bin/postern.mjs
  fi
  # The server runs as a user of its own, who has to read all of it.
  act chmod -R a+rX "$PREFIX.new"
  data=$(data_directory)
  if [ -n "$data" ] && [ -e "$data/mail.db" ]; then
    act node "$PREFIX.new${program#"$PREFIX"}" upgrade --check --data "$data"
  fi
  act rm -rf "$PREFIX.old"
  if [ -e "$PREFIX" ]; then act mv "$PREFIX" "$PREFIX.old"; fi
  act mv "$PREFIX.new" "$PREFIX"
  act ln -sfn "$program" /usr/local/bin/postern
}

set_up() {
  if [ -e "$CONFIG" ]; then
    say "$CONFIG is there and stays as it is."
  elif [ -z "$domain" ]; then
    say 'Next: postern init'
    return
  else
    act postern init --domain "$domain" --hostname "$hostname" --admin "$admin" --yes
  fi
  if [ -e "$UNIT" ]; then
    say "$UNIT is there and stays as it is."
  elif [ "$dry" = yes ]; then
    say "would write: $UNIT (postern init --print-unit)"
  else
    data=$(data_directory)
    postern init --print-unit --config "$CONFIG" --data "${data:-/var/lib/postern}" >"$UNIT.new"
    mv "$UNIT.new" "$UNIT"
  fi
  act systemctl daemon-reload
  act systemctl enable postern
  act systemctl restart postern
  say 'Next: the DNS records (postern domain records), a certificate (docs/guides/certificates.md), and postern doctor.'
}

check
install_node
install_program
set_up
