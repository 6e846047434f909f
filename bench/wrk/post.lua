-- Arguments: pay RUN PROVIDER API_KEY FILE    payments from the wallets of the users in the file, each with a key of its own
--            charge RUN PROVIDER              charges at the gateway, each of a payment of its own
--            send RUN FILE ONE                transfers among the people in the file (an id and a token a line); ONE is 1 when
--                                             everybody sends to the first of them, else 0
--            buy RUN TOKEN FILE               purchases of the users in the file, each with a reference and a key of its own
--            refund RUN TOKEN FILE            refunds of a cent of the payments in the file, each with a key of its own
--            login RUN                        log-ins with a wrong password, each of somebody else
-- RUN is a number that no other run over the same service has; thread and counter make the rest of a key.
dofile("report.lua")

local threads = 0

function setup(thread)
   thread:set("nth", threads)
   threads = threads + 1
end

local function lines(path)
   local found = {}
   for line in io.lines(path) do found[#found + 1] = line end
   return found
end

local function post(path, headers, body)
   return "POST " .. path .. " HTTP/1.1\r\nHost: " .. wrk.host .. "\r\nContent-Type: application/json\r\n" .. headers ..
      "Content-Length: " .. #body .. "\r\n\r\n" .. body
end

local function amount()
   return math.random(1000, 9999)
end

local function paying(run, provider, key, path)
   local users, count = lines(path), 0
   local headers = "X-API-Key: " .. key .. "\r\nIdempotency-Key: %d-%d-%d\r\n"
   local body = '{"provider_id":"' .. provider .. '","external_reference":"bill 7","amount":%d,"currency":"USD"}'
   return function()
      count = count + 1
      return post("/wallets/" .. users[math.random(#users)] .. "/payments",
         headers:format(run, nth, count), body:format(amount()))
   end
end

local function charging(run, provider)
   local count = 0
   local body = '{"payment_id":"%s","provider_id":"' .. provider ..
      '","external_reference":"bill 7","amount":%d,"currency":"USD"}'
   return function()
      count = count + 1
      local id = ("%08d-%04d-4000-8000-%012d"):format(run, nth, count)
      return post("/charges", "Idempotency-Key: " .. id .. "\r\n", body:format(id, amount()))
   end
end

local function sending(run, path, one)
   local people, count = lines(path), 0
   local headers = "Authorization: Bearer %s\r\nIdempotency-Key: %d-%d-%d\r\n"
   local body = '{"to":"%s","amount":%d,"currency":"USD"}'
   return function()
      count = count + 1
      local from = math.random(1 + one, #people)
      local to = one == 1 and 1 or (from - 1 + math.random(#people - 1)) % #people + 1
      local token, id = people[from]:match(" (.*)$"), people[to]:match("^(.-) ")
      return post("/v1/wallet/send", headers:format(token, run, nth, count), body:format(id, amount()))
   end
end

local function buying(run, token, path)
   local users, count = lines(path), 0
   local headers = "Authorization: Bearer " .. token .. "\r\nIdempotency-Key: %d-%d-%d\r\n"
   local body = '{"user_id":"%s","merchant":"corner shop","category":"groceries","external_reference":"%d-%d-%d","amount":%d,"currency":"USD"}'
   return function()
      count = count + 1
      return post("/v1/purchases", headers:format(run, nth, count),
         body:format(users[math.random(#users)], run, nth, count, amount()))
   end
end

local function refunding(run, token, path)
   local payments, count = lines(path), 0
   local headers = "Authorization: Bearer " .. token .. "\r\nIdempotency-Key: %d-%d-%d\r\n"
   return function()
      count = count + 1
      return post("/v1/payments/" .. payments[math.random(#payments)] .. "/refunds",
         headers:format(run, nth, count), '{"amount":1}')
   end
end

local function logging_in(run)
   local count = 0
   return function()
      count = count + 1
      return post("/v1/auth/login", "", ('{"email":"%d-%d-%d@example.com","password":"not this one"}'):format(run, nth, count))
   end
end

function init(args)
   local kind, run = args[1], tonumber(args[2])
   math.randomseed(run * 1000 + nth)
   if kind == "pay" then
      request = paying(run, args[3], args[4], args[5])
   elseif kind == "charge" then
      request = charging(run, args[3])
   elseif kind == "send" then
      request = sending(run, args[3], tonumber(args[4]))
   elseif kind == "refund" then
      request = refunding(run, args[3], args[4])
   elseif kind == "buy" then
      request = buying(run, args[3], args[4])
   else
      request = logging_in(run)
   end
end
