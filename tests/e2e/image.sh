#!/usr/bin/env bash
# Builds the image as Dockerfile says, without Docker and without a registry: buildah (chroot isolation) on a base made
# by debootstrap. Runs what comes out, also in a root without glibc.
#
# usage: image.sh          as root; the last line is "N passed, M failed"
#   TRIXIE_ROOT=FOLDER     a debootstrapped trixie to take instead of making one (it is not changed)
#   KEEP=1                 leaves the work folder
set -uo pipefail
repository=$(cd -- "$(dirname -- "$0")/../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/holdshort-e2e
base=docker.io/library/debian:trixie-slim
image=localhost/holdshort:e2e
limit=$((10 * 1000 * 1000)) # bytes of the whole image

fail() {
  echo "image.sh: $*" >&2
  exit 2
}
[[ $(id -u) -eq 0 ]] || fail "wants root"
missing=()
for package in buildah debootstrap busybox-static openssl python3; do
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
done
if [[ ${#missing[@]} -gt 0 ]]; then
  apt-get install -y -q --no-install-recommends "${missing[@]}" </dev/null >&2 || fail "cannot install ${missing[*]}"
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/holdshort-image-XXXXXX")
server=
cleanup() {
  [[ -z $server ]] || kill "$server" 2>/dev/null
  [[ -n ${KEEP:-} ]] || rm -rf -- "${work:?}"
}
trap cleanup EXIT

buildah() {
  command buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs "$@"
}

passed=0 failed=0
# check NAME COMMAND ...
check() {
  local name=$1 output
  if output=$("${@:2}" 2>&1); then
    ((passed += 1))
    echo "ok    $name"
  else
    ((failed += 1))
    echo "FAIL  $name"
    sed 's/^/      /' <<<"$output" | tail -n 20
  fi
}

# --- the base, under the name that FROM asks for

root=${TRIXIE_ROOT:-$cache/trixie}
if [[ ! -x $root/usr/bin/apt-get ]]; then
  mkdir -p "$cache"
  rm -rf -- "${cache:?}/trixie.new"
  debootstrap --variant=minbase trixie "$cache/trixie.new" >&2 || fail "debootstrap"
  mv "$cache/trixie.new" "$cache/trixie"
  root=$cache/trixie
fi
tar -C "$root" --one-file-system --exclude='./proc/*' --exclude='./sys/*' --exclude='./dev/*' \
  --exclude='./var/cache/apt/archives/*.deb' -cf "$work/base.tar" . || fail "tar"
container=$(buildah from scratch) || fail "buildah from scratch"
buildah add -q "$container" "$work/base.tar" / >/dev/null || fail "buildah add"
buildah commit -q "$container" "$base" >/dev/null || fail "buildah commit"
buildah rm "$container" >/dev/null
rm -f "$work/base.tar"

# --- the image

started=$SECONDS
buildah bud --isolation chroot --pull-never --network host -t "$image" -f "$repository/Dockerfile" "$repository" \
  </dev/null >"$work/build.log" 2>&1 || {
  tail -n 30 "$work/build.log" >&2
  fail "buildah bud"
}
echo "built in $((SECONDS - started)) s"

container=$(buildah from --pull-never "$image")
files=$(buildah mount "$container")
bytes=$(find "$files" -xdev -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum }')
echo "image: $bytes bytes; binary: $(stat -c %s "$files/holdshort") bytes"
find "$files" -xdev -type f -printf '      %P %s\n'

check "the image is under 10 MB" test "$bytes" -lt "$limit"
check "it holds nothing but binary, certificates and licence" test \
  "$(cd "$files" && find . -xdev -type f | sort | tr '\n' ' ')" = \
  "./LICENSE ./etc/ssl/certs/ca-certificates.crt ./holdshort "
check "no user of it is root" test "$(buildah inspect --format '{{.OCIv1.Config.User}}' "$image")" = 65532:65532
check "its entrypoint is holdshort" grep -q '/holdshort' <<<"$(buildah inspect --format '{{.OCIv1.Config.Entrypoint}}' "$image")"

run() { buildah run --isolation chroot "$container" -- "$@"; }
check "--version runs in it" run /holdshort --version
check "explain runs in it" run /holdshort explain jwt
# Runs the demo, and sees from outside as whom.
demo() {
  local uid= pid
  rm -f "$work/demo.status"
  (
    run /holdshort demo >"$work/demo.log" 2>&1
    echo $? >"$work/demo.status"
  ) &
  while [[ ! -s $work/demo.status ]]; do
    for pid in /proc/[0-9]*; do
      # In a root of its own: not a holdshort of somebody else.
      [[ -z $uid && $(readlink "$pid/exe") == */holdshort && $(readlink "$pid/root") == *buildah* ]] || continue
      uid=$(awk '/^Uid:/ { print $2 }' "$pid/status")
    done
    sleep 0.2
  done
  echo "uid: $uid, status: $(<"$work/demo.status")"
  tail -n 3 "$work/demo.log"
  [[ $uid == 65532 && $(<"$work/demo.status") == 0 ]]
}
check "the demo runs in it to its end, as nobody" demo

# --- copied into a root without glibc

alpine=$work/alpine
mkdir -p "$alpine"/{bin,etc/ssl,tmp,proc,dev,usr/local/bin}
cp "$(command -v busybox)" "$alpine/bin/busybox"
for applet in sh echo cat sleep ls; do ln -s busybox "$alpine/bin/$applet"; done
cp "$files/holdshort" "$alpine/usr/local/bin/holdshort"
check "there is no shared library in the root" test -z "$(find "$alpine" -name '*.so*')"
check "--version runs without glibc" chroot "$alpine" /usr/local/bin/holdshort --version

echo '[app]
url = "https://localhost:PORT"
[agent]
listen = "127.0.0.1:AGENT"
log_format = "json"
[probes.alive]
type = "http"
path = "/"' >"$alpine/etc/holdshort.toml"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
agent=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
sed -i "s/PORT/$port/; s/AGENT/$agent/" "$alpine/etc/holdshort.toml"
echo '127.0.0.1 localhost' >"$alpine/etc/hosts"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
  -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
python3 - "$port" "$work/cert.pem" "$work/key.pem" <<'PYTHON' >/dev/null 2>&1 &
import http.server, ssl, sys
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.BaseHTTPRequestHandler)
server.RequestHandlerClass.do_GET = lambda self: (self.send_response(200), self.send_header("Content-Length", "0"), self.end_headers())
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[3])
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
PYTHON
server=$!
# Without the caller's choice of certificates.
inside() { env -u SSL_CERT_FILE -u SSL_CERT_DIR timeout -s KILL 30 chroot "$alpine" /usr/local/bin/holdshort "$@"; }
for _ in $(seq 100); do
  (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
  sleep 0.05
done
untrusted() { inside check --config /etc/holdshort.toml; test $? -eq 3; }
check "a certificate that nobody vouches for is not trusted there" untrusted
cp "$work/cert.pem" "$alpine/etc/ssl/cert.pem"
check "Alpine's own store is found there" inside check --config /etc/holdshort.toml

supervises() {
  local output
  output=$(inside run --config /etc/holdshort.toml -- sh -c 'echo "from the app"; exit 7')
  [[ $? -eq 7 && $output == *"from the app"* ]]
}
check "it supervises an app without glibc" supervises

buildah umount "$container" >/dev/null
echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
