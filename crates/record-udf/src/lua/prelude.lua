-- What a script sees besides the functions in Rust. Runs once in each new state; `raw` has those functions, which return an
-- error's text before their results.
local raw, seal = ...
local error, pcall, select, type, rawlen, rawget = error, pcall, select, type, rawlen, rawget
local getmetatable, setmetatable, next = getmetatable, setmetatable, next
local format, load, sort = string.format, load, table.sort

local function check(message, ...)
  if message ~= nil then
    error(message, 2)
  end
  return ...
end

local function wrap(f)
  return function(...)
    return check(f(...))
  end
end

for name, library in next, { list = raw.list, map = raw.map, bytes = raw.bytes, iterator = raw.iterator } do
  local wrapped = {}
  for key, f in next, library do
    wrapped[key] = wrap(f)
  end
  local make = wrapped.make
  wrapped.make = nil
  _G[name] = setmetatable(wrapped, { __call = make })
end

record = {}
for name, f in next, raw.record do
  record[name] = wrap(f)
end

geojson = setmetatable({}, { __call = wrap(raw.geojson) })

-- The classes, by which scripts tell values apart.
Map, List, Bytes = {}, {}, {}
local class = raw.class
local classes = { Map = Map, List = List, Bytes = Bytes, Record = {}, GeoJSON = {}, Iterator = {}, Aerospike = {} }

function _G.getmetatable(value)
  if type(value) == 'userdata' then
    return classes[class(value)]
  end
  return getmetatable(value)
end

function _G.setmetatable(object, metatable)
  if type(metatable) == 'table' and rawget(metatable, '__gc') ~= nil then
    error("'__gc' is not available to user-defined functions", 2)
  end
  return setmetatable(object, metatable)
end

-- Only text: bytecode can be made to break out.
function _G.load(chunk, name, mode, ...)
  if select('#', ...) == 0 then
    return load(chunk, name, 't')
  end
  return load(chunk, name, 't', ...)
end

function print() end

function require(name)
  return check(raw.require(name))
end

-- Functions of the standard library whose work is not bounded by the memory that they use.
for name, f in next, raw.string do
  string[name] = wrap(f)
end
string.dump = nil
getmetatable('').__index = string

local work = wrap(raw.work)
local function plain(what, object)
  if type(object) == 'table' then
    local metatable = getmetatable(object)
    if metatable ~= nil and type(metatable) == 'table' and rawget(metatable, '__len') ~= nil then
      error("'" .. what .. "' is not available for tables with '__len' to user-defined functions", 3)
    end
    work(rawlen(object))
  end
end
for _, name in next, { 'insert', 'remove', 'sort', 'concat', 'unpack' } do
  local f = table[name]
  table[name] = function(object, ...)
    plain(name, object)
    if name == 'concat' or name == 'unpack' then
      local from, to = select(name == 'concat' and 2 or 1, ...)
      if type(from) == 'number' and type(to) == 'number' and to > from then
        work(to - from)
      end
    end
    return f(object, ...)
  end
end
local move = table.move
function table.move(from, first, last, ...)
  if type(first) == 'number' and type(last) == 'number' and last > first then
    work(last - first)
  end
  return move(from, first, last, ...)
end

function list.clone(l)
  local copy = list()
  list.concat(copy, l)
  return copy
end

function list.merge(l1, l2)
  local both = list()
  list.concat(both, l1)
  list.concat(both, l2)
  return both
end

function map.clone(m)
  local copy = map()
  for key, value in map.pairs(m) do
    copy[key] = value
  end
  return copy
end

function map.merge(m1, m2, f)
  local both = map.clone(m1)
  for key, value in map.pairs(m2) do
    local old = both[key]
    local merged = nil
    if old and type(f) == 'function' then
      merged = f(m1[key], m2[key])
    end
    both[key] = merged or value
  end
  return both
end

function map.diff(m1, m2)
  local different = map()
  for key, value in map.pairs(m1) do
    if not m2[key] then
      different[key] = value
    end
  end
  for key, value in map.pairs(m2) do
    if not m1[key] then
      different[key] = value
    end
  end
  return different
end

function math.sum(a, b)
  return a + b
end

function math.product(a, b)
  return a * b
end

-- What scripts log is formatted, so that wrong arguments fail as on a server, and discarded.
for _, level in next, { 'trace', 'debug', 'info', 'warn' } do
  _G[level] = function(message, ...)
    format(message, ...)
  end
end

collectgarbage, dofile, loadfile = nil, nil, nil

local metamethods = {}
for name, methods in next, raw.metamethods do
  local wrapped = {}
  for key, f in next, methods do
    wrapped[key] = wrap(f)
  end
  metamethods[name] = wrapped
end

-- Applies a function by its name: whether it succeeded, and its result or error.
local function apply(name, ...)
  local f = _G[name]
  if f == nil then
    return false, 'function not found'
  end
  return pcall(f, ...)
end

return seal(metamethods, apply, pcall)
