-- SPDX-License-Identifier: BSD-2-Clause
-- Runs one script (-D script) and says what went wrong, which miltertest keeps to itself.
local fine, problem = pcall(dofile, folder .. "/" .. script)
if not fine then
    mt.echo(tostring(problem))
    os.exit(1)
end
