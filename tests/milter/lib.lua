-- SPDX-License-Identifier: BSD-2-Clause
-- An MTA's side of the milter protocol in words; each script begins with
-- dofile(folder .. "/lib.lua").
-- miltertest gives a script its -D variables: folder, socket.

mta = {}

-- miltertest takes macros for these stages too, but has no names for them.
SMFIC_DATA = string.byte("T")
SMFIC_BODYEOB = string.byte("E")

local function check(name, problem)
    if problem ~= nil then
        error(name .. ": " .. problem)
    end
end

-- A new connection from a client with this name and address.
function mta.connect(name, address)
    local conn = mt.connect("unix:" .. socket)
    if conn == nil then
        error("cannot connect to " .. socket)
    end
    check("negotiate", mt.negotiate(conn, nil, nil, nil))
    mt.macro(conn, SMFIC_CONNECT, "v", "miltertest", "{daemon_port}", "2525")
    check("connect", mt.conninfo(conn, name or "client.example.net", address or "127.0.0.1"))
    check("helo", mt.helo(conn, "client.example.net"))
    return conn
end

-- MAIL; macros are those of this stage, such as {"i", "ID1", "{auth_authen}", "a@example.test"}.
function mta.mail(conn, sender, macros, ...)
    mt.macro(conn, SMFIC_MAIL, "{mail_addr}", sender, table.unpack(macros or {}))
    check("mail", mt.mailfrom(conn, "<" .. sender .. ">", ...))
end

-- RCPT; returns the milter's reply.
function mta.rcpt(conn, recipient, macros)
    if macros then
        mt.macro(conn, SMFIC_RCPT, table.unpack(macros))
    end
    check("rcpt", mt.rcptto(conn, "<" .. recipient .. ">"))
    return mt.getreply(conn)
end

function mta.data(conn, queue_id)
    if queue_id then
        mt.macro(conn, SMFIC_DATA, "i", queue_id)
    end
    check("data", mt.data(conn))
end

function mta.headers(conn, sender, subject)
    for _, field in ipairs({
        {"From", "<" .. sender .. ">"},
        {"To", "<bob@example.net>"},
        {"Subject", subject},
        {"Date", "Thu, 1 Jan 2026 00:00:00 +0000"},
        {"Message-ID", "<" .. subject .. "@example.test>"},
    }) do
        check("header", mt.header(conn, field[1], field[2]))
    end
end

function mta.body(conn, text)
    check("body", mt.bodystring(conn, text))
end

-- The end of the message; returns the milter's reply.
function mta.finish(conn)
    check("eom", mt.eom(conn))
    return mt.getreply(conn)
end

-- A whole message of alice's, as Postfix hands it over; returns the milter's last reply.
function mta.send(conn, queue_id)
    mta.mail(conn, "alice@example.test", {"{auth_authen}", "alice@example.test"})
    mta.rcpt(conn, "bob@example.net")
    mta.data(conn, queue_id)
    mta.headers(conn, "alice@example.test", queue_id)
    mta.body(conn, "Hello.\r\n")
    return mta.finish(conn)
end

function mta.abort(conn)
    check("abort", mt.abort(conn))
end

function mta.expect(what, got, wanted)
    if got ~= wanted then
        error(what .. ": " .. tostring(got) .. " instead of " .. tostring(wanted))
    end
end

function mta.expect_signed(conn, wanted)
    mta.expect("signed", mt.eom_check(conn, MT_HDRINSERT, "DKIM-Signature"), wanted)
end
