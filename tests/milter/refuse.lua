-- SPDX-License-Identifier: BSD-2-Clause
-- Refusals: a recipient alone, and a message that is larger than was claimed.
dofile(folder .. "/lib.lua")

local conn = mta.connect()
mta.expect("waits for the reply to RCPT", mt.test_option(conn, SMFIP_NR_RCPT), false)
mta.mail(conn, "alice@example.test", {"{auth_authen}", "alice@example.test"})
mta.expect("a good recipient", mta.rcpt(conn, "bob@example.net"), SMFIR_CONTINUE)
mta.expect("no such domain", mta.rcpt(conn, "bob@absent.test"), SMFIR_REPLYCODE)
mta.expect("another good one", mta.rcpt(conn, "carol@example.net"), SMFIR_CONTINUE)
local reply = mta.rcpt(conn, "x@absent.test", {"{rcpt_mailer}", "error"})
mta.expect("the MTA's own refusal", reply, SMFIR_CONTINUE)
mta.data(conn, "REFUSED1")
mta.headers(conn, "alice@example.test", "refuse1")
mta.body(conn, "Hello.\r\n")
mta.expect("the rest is accepted", mta.finish(conn), SMFIR_CONTINUE)
mta.expect_signed(conn, true)

-- max-message-size is 20000
mta.mail(conn, "alice@example.test", {"{auth_authen}", "alice@example.test"}, "SIZE=100")
mta.expect("claims to be small", mta.rcpt(conn, "bob@example.net"), SMFIR_CONTINUE)
mta.data(conn, "REFUSED2")
mta.headers(conn, "alice@example.test", "refuse2")
for _ = 1, 30 do
    mta.body(conn, string.rep("x", 998) .. "\r\n")
end
mta.expect("is large", mta.finish(conn), SMFIR_REPLYCODE)

mta.mail(conn, "alice@example.test", {"{auth_authen}", "alice@example.test"}, "SIZE=30000")
mta.expect("says that it is large", mta.rcpt(conn, "bob@example.net"), SMFIR_REPLYCODE)
mta.abort(conn)

-- bounces are never refused
mta.mail(conn, "", {})
mta.expect("a bounce", mta.rcpt(conn, "bob@absent.test"), SMFIR_CONTINUE)
mta.abort(conn)
mt.disconnect(conn)
