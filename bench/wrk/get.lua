-- Arguments: browse RUN FILE HOT         products of those in the file: nine times of ten one of the first HOT, else the next
--                                        one of the others, which come again when all of them have been; HOT may be 0
--            list RUN FILE CATEGORIES    pages of 20 products by filters that nobody has asked for before: by price, of a seller
--                                        in the file, of one of so many categories
-- RUN is a number that no other run over the same service has.
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

local function get(path)
   return "GET " .. path .. " HTTP/1.1\r\nHost: " .. wrk.host .. "\r\n\r\n"
end

local function browsing(path, hot)
   local products = lines(path)
   local cold = #products - hot
   local next_one = nth * math.floor(cold / 2)
   return function()
      if hot > 0 and math.random(10) > 1 then return get("/v1/products/" .. products[math.random(hot)]) end
      next_one = (next_one + 1) % cold
      return get("/v1/products/" .. products[hot + 1 + next_one])
   end
end

local function listing(path, categories)
   local sellers = lines(path)
   return function()
      local filters = "/v1/products?limit=20&currency=USD&max_price=" .. math.random(10000, 1000000000)
      local which = math.random(3)
      if which == 1 then return get(filters .. "&sort=price&min_price=" .. math.random(1000, 9999)) end
      if which == 2 then return get(filters .. "&seller=" .. sellers[math.random(#sellers)]) end
      return get(filters .. "&category=category-" .. math.random(categories) - 1)
   end
end

function init(args)
   math.randomseed(tonumber(args[2]) * 1000 + nth)
   if args[1] == "browse" then
      request = browsing(args[3], tonumber(args[4]))
   else
      request = listing(args[3], tonumber(args[4]))
   end
end
