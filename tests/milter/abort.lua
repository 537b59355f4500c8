-- SPDX-License-Identifier: BSD-2-Clause
-- A message that dies at each stage leaves nothing behind: the next one over the same connection
-- is whole.
dofile(folder .. "/lib.lua")

local steps = {
    function(conn)
        mta.mail(conn, "alice@example.test", {"{auth_authen}", "alice@example.test"})
    end,
    function(conn) mta.rcpt(conn, "bob@example.net") end,
    function(conn) mta.data(conn, "ABORTED") end,
    function(conn) mt.header(conn, "From", "<someone-else@example.org>") end,
    function(conn) mta.body(conn, "Never sent.\r\n") end,
}

local conn = mta.connect()
for last = 1, #steps do
    for step = 1, last do
        steps[step](conn)
    end
    mta.abort(conn)
    mta.expect("after an abort at step " .. last, mta.send(conn, "WHOLE" .. last), SMFIR_CONTINUE)
    mta.expect_signed(conn, true)
end
mt.disconnect(conn)

-- the connection breaks instead
for last = 1, #steps do
    conn = mta.connect()
    for step = 1, last do
        steps[step](conn)
    end
    mt.disconnect(conn, false)
end

-- connections without a message
conn = mta.connect()
mt.disconnect(conn)
conn = mta.connect()
mta.abort(conn)
mt.disconnect(conn)
