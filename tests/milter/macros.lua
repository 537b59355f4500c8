-- SPDX-License-Identifier: BSD-2-Clause
-- The queue id and the login may come at any stage, or never.
dofile(folder .. "/lib.lua")

local function message(conn, name, at)
    mta.mail(conn, "alice@example.test", at.mail or {})
    mta.rcpt(conn, "bob@example.net", at.rcpt)
    if at.data then
        mt.macro(conn, SMFIC_DATA, table.unpack(at.data))
    end
    mta.data(conn)
    mta.headers(conn, "alice@example.test", name)
    mta.body(conn, "Hello.\r\n")
    if at.eom then
        mt.macro(conn, SMFIC_BODYEOB, table.unpack(at.eom))
    end
    mta.expect(name, mta.finish(conn), SMFIR_CONTINUE)
    mta.expect_signed(conn, true)
end

local conn = mta.connect()
message(conn, "at-mail", {mail = {"i", "ATMAIL", "{auth_authen}", "alice@example.test"}})
message(conn, "at-rcpt", {rcpt = {"i", "ATRCPT"}})
message(conn, "at-data", {data = {"i", "ATDATA", "{auth_authen}", "Alice@Example.TEST"}})
message(conn, "at-eom", {eom = {"i", "ATEOM"}})
message(conn, "never", {})
mt.disconnect(conn)
