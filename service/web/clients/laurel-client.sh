# Laurel from a shell, with curl, jq and openssl. NETWORK is such as http://localhost:8000/v1/networks/my-circle
call() { curl --silent --show-error --fail-with-body -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" "$@"; }

post_contribution() { # contribution, key
  call "$NETWORK/contributions" -H "Idempotency-Key: $2" -d "$1"
}

read_all() { # path; one item a line
  local page after=""
  while page=$(call "$NETWORK$1?limit=200${after:+&after=$after}"); do
    jq -c '.items[]' <<<"$page"
    after=$(jq -r '.next // empty' <<<"$page"); [ -n "$after" ] || return 0
  done
}

is_from_laurel() { # id, timestamp and signatures from the headers, file with the body, secret
  local key expected age=$(($(date +%s) - $2))
  key=$(printf %s "${5#whsec_}" | base64 -d | od -An -tx1 | tr -d ' \n')
  expected=$({ printf '%s.%s.' "$1" "$2"; cat "$4"; } | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64)
  [ "${age#-}" -lt 300 ] && [[ " $3 " == *" v1,$expected "* ]]
}
