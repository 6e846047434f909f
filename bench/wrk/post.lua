-- Arguments: pay RUN PROVIDER API_KEY FILE    payments from the wallets of the users in the file, each with a key of its own
--            charge RUN PROVIDER              charges at the gateway, each of a payment of its own
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

function init(args)
   local kind, run, provider = args[1], tonumber(args[2]), args[3]
   local count = 0
   math.randomseed(run * 1000 + nth)
   if kind == "pay" then
      local users = lines(args[5])
      local headers = "X-API-Key: " .. args[4] .. "\r\nIdempotency-Key: %d-%d-%d\r\n"
      local body = '{"provider_id":"' .. provider ..
         '","external_reference":"bill 7","amount":%d,"currency":"USD"}'
      request = function()
         count = count + 1
         return post("/wallets/" .. users[math.random(#users)] .. "/payments",
            headers:format(run, nth, count), body:format(amount()))
      end
   else
      local body = '{"payment_id":"%s","provider_id":"' .. provider ..
         '","external_reference":"bill 7","amount":%d,"currency":"USD"}'
      request = function()
         count = count + 1
         local id = ("%08d-%04d-4000-8000-%012d"):format(run, nth, count)
         return post("/charges", "Idempotency-Key: " .. id .. "\r\n", body:format(id, amount()))
      end
   end
end
