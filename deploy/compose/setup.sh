#!/bin/sh
# Makes what the first start of docker-compose.yml needs, each in a volume of those alone who are to have it: the file of tokens, the
# evaluator's token (role admin) and the caller's (roles run and call), and the database's password. What is there stays as it is.
set -eu
umask 077

keep() { # FILE MODE: what comes in is the file from now on
    cat >"$1.new"
    test -s "$1.new"
    chmod "$2" "$1.new"
    mv "$1.new" "$1"
}

if [ -n "${GENLEVEL_EVALUATOR_TOKEN:-}" ]; then # tokens are made by hand (deploy/README.md)
    printf '%s\n' "$GENLEVEL_EVALUATOR_TOKEN" | keep /access/evaluator/token 0400
    if [ -n "${GENLEVEL_TOKEN:-}" ]; then
        printf '%s\n' "$GENLEVEL_TOKEN" | keep /access/caller/token 0400
    fi
elif [ ! -s /access/tokens/tokens.yaml ]; then
    rm -f /access/tokens/new.yaml
    genlevel token evaluator --role admin --file /access/tokens/new.yaml | keep /access/evaluator/token 0400
    genlevel token you --role run --role call --file /access/tokens/new.yaml | keep /access/caller/token 0400
    mv /access/tokens/new.yaml /access/tokens/tokens.yaml
fi

if [ ! -s /access/database/password ]; then
    python -c 'import secrets; print(secrets.token_urlsafe(32))' | keep /access/database/password 0444
fi
printf 'database:5432:genlevel:genlevel:%s\n' "$(cat /access/database/password)" | keep /access/storage/pgpass 0400
echo 'tokens and passwords are there'
