-- SPDX-License-Identifier: BSD-2-Clause
-- Several messages over one connection: each is judged, signed and named by itself.
dofile(folder .. "/lib.lua")

local conn = mta.connect()
for n = 1, 3 do
    mta.expect("message " .. n, mta.send(conn, "SEVERAL" .. n), SMFIR_CONTINUE)
    mta.expect_signed(conn, true)
    -- Postfix aborts after each message
    if n == 2 then
        mta.abort(conn)
    end
end

-- the login of the last message is not that of the next
mta.mail(conn, "mallory@example.net", {})
mta.rcpt(conn, "bob@example.net")
mta.data(conn, "SEVERAL4")
mta.headers(conn, "alice@example.test", "SEVERAL4")
mta.body(conn, "Hello.\r\n")
mta.expect("without a login", mta.finish(conn), SMFIR_CONTINUE)
mta.expect_signed(conn, true) -- 127.0.0.1 is trusted
mt.disconnect(conn)

-- a client of the world is not one of our people
conn = mta.connect("world.example.net", "192.0.2.1")
mta.mail(conn, "someone@example.net", {})
mta.rcpt(conn, "alice@example.test")
mta.data(conn, "SEVERAL5")
mta.headers(conn, "someone@example.net", "SEVERAL5")
mta.body(conn, "Hello.\r\n")
mta.expect("inbound", mta.finish(conn), SMFIR_CONTINUE)
mta.expect_signed(conn, false)
mt.disconnect(conn)
