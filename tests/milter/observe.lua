-- SPDX-License-Identifier: BSD-2-Clause
-- In observe mode nothing is refused, and the MTA need not wait for us at any command.
dofile(folder .. "/lib.lua")

local conn = mta.connect()
for name, bit in pairs({
    connect = SMFIP_NR_CONN, helo = SMFIP_NR_HELO, mail = SMFIP_NR_MAIL, rcpt = SMFIP_NR_RCPT,
    data = SMFIP_NR_DATA, header = SMFIP_NR_HDR, body = SMFIP_NR_BODY,
}) do
    mta.expect("no reply to " .. name, mt.test_option(conn, bit), true)
end
mta.mail(conn, "alice@example.test", {"{auth_authen}", "alice@example.test"})
mta.rcpt(conn, "bob@absent.test")
mta.data(conn, "OBSERVED")
mta.headers(conn, "alice@example.test", "observed")
mta.body(conn, "Hello.\r\n")
mta.expect("no such domain", mta.finish(conn), SMFIR_CONTINUE)
mta.expect_signed(conn, true)
mt.disconnect(conn)
