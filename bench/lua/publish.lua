-- Publishes events, `per` in each request. Every event has its own number; the texts around it come in turn.
local input, counter, last
local format, concat = string.format, table.concat

function init(args)
  input = dofile(args[1])
  counter, last = input.start, #input.prefixes
end

function request()
  local parts, size = { input.head }, 1
  for index = 1, input.per do
    local variant = counter % last + 1
    if index > 1 then
      size = size + 1
      parts[size] = input.separator
    end
    parts[size + 1] = input.prefixes[variant]
    parts[size + 2] = format('%012d', counter)
    parts[size + 3] = input.suffixes[variant]
    size = size + 3
    counter = counter + 1
  end
  parts[size + 1] = input.tail
  return concat(parts)
end

function done(summary, latency)
  local e = summary.errors
  print(format('BENCH {"requests":%d,"micros":%d,"p50":%d,"p99":%d,"failures":%d}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
