-- Leases from one inbox after the other, so many leases from each (or until it gives nothing), and acknowledges each
-- lease. The lease id holds the inbox's number, so that an answer says where its acknowledgement goes.
local input, inbox, number, taken
local acks, first, final = {}, 1, 0
local format, find, match, sub = string.format, string.find, string.match, string.sub

function init(args)
  input = dofile(args[1])
  inbox, number, taken = 1, 0, 0
end

local function post(path, body)
  return 'POST ' .. path .. input.rest .. 'Content-Length: ' .. #body .. '\r\n\r\n' .. body
end

local function nextInbox()
  inbox = inbox % #input.inboxes + 1
  taken = 0
end

function request()
  if first <= final then
    local id = acks[first]
    acks[first] = nil
    first = first + 1
    local path = input.inboxes[tonumber(match(id, '^(%d+)%.'))]
    return post(path .. '/ack', '{"lease_id":"' .. id .. '"}')
  end
  if taken >= input.leasesEach then nextInbox() end
  number, taken = number + 1, taken + 1
  local id = inbox .. '.' .. input.run .. '.' .. number
  return post(input.inboxes[inbox] .. '/lease', '{"limit":100,"lease_seconds":600,"lease_id":"' .. id .. '"}')
end

function response(status, headers, body)
  if status ~= 200 then return end
  local head = sub(body, 1, 300)
  if find(head, '"results":', 1, true) then return end
  local id = match(head, '"lease_id":"([^"]+)"')
  if find(head, '"events":[]', 1, true) then
    if tonumber(match(id, '^(%d+)%.')) == inbox then nextInbox() end
    return
  end
  final = final + 1
  acks[final] = id
end

function done(summary, latency)
  local e = summary.errors
  print(format('BENCH {"requests":%d,"micros":%d,"p50":%d,"p99":%d,"failures":%d}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
