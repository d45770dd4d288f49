-- The requests of stage serve for wrk: wrk ... -s serve.lua URL -- PATH-WITH-QUERY TEXTS-FILE
local paths, n = {}, 0

function init(args)
  for line in io.lines(args[2]) do paths[#paths + 1] = args[1] .. line:gsub(" ", "%%20") end
end

function request()
  n = n % #paths + 1
  return wrk.format("GET", paths[n])
end
