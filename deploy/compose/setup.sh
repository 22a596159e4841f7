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

by_hand() { # FOLDER TOKEN: that one is shown from now on; what was made stays beside it, for when it is taken back
    if [ -s "/access/$1/token" ] && [ ! -e "/access/$1/made" ]; then
        mv "/access/$1/token" "/access/$1/made"
    fi
    printf '%s\n' "$2" | keep "/access/$1/token" 0400
}

if [ -n "${GENLEVEL_EVALUATOR_TOKEN:-}" ]; then # tokens are made by hand (deploy/README.md)
    by_hand evaluator "$GENLEVEL_EVALUATOR_TOKEN"
    if [ -n "${GENLEVEL_TOKEN:-}" ]; then
        by_hand caller "$GENLEVEL_TOKEN"
    fi
elif [ ! -s /access/tokens/tokens.yaml ]; then
    rm -f /access/tokens/new.yaml
    genlevel token evaluator --role admin --file /access/tokens/new.yaml | keep /access/evaluator/token 0400
    genlevel token you --role run --role call --file /access/tokens/new.yaml | keep /access/caller/token 0400
    rm -f /access/evaluator/made /access/caller/made
    mv /access/tokens/new.yaml /access/tokens/tokens.yaml
else
    for folder in evaluator caller; do
        if [ -s "/access/$folder/made" ]; then
            mv -f "/access/$folder/made" "/access/$folder/token"
        fi
    done
fi

if [ ! -s /access/database/password ]; then
    python -c 'import secrets; print(secrets.token_urlsafe(32))' | keep /access/database/password 0444
fi
printf 'database:5432:genlevel:genlevel:%s\n' "$(cat /access/database/password)" | keep /access/storage/pgpass 0400
echo 'tokens and passwords are there'
