-- Reads addresses in turn.
local input, at
local format = string.format

function init(args)
  input = dofile(args[1])
  at = 0
end

function request()
  at = at % #input.paths + 1
  return 'GET ' .. input.paths[at] .. input.rest
end

function done(summary, latency)
  local e = summary.errors
  print(format('BENCH {"requests":%d,"micros":%d,"p50":%d,"p99":%d,"failures":%d}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
