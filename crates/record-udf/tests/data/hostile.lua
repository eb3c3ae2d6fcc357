-- Scripts that try to do harm. Each must end with an error.
function fine(rec) return 1 end
function spin(rec) while true do end end
function spin_caught(rec)
  while true do pcall(function() while true do end end) end
end
function spin_deep(rec)
  local function f() pcall(f) while true do end end
  while true do pcall(f) pcall(error) end
end
function eat_strings(rec)
  local t = {}
  for i = 1, 1e9 do t[i] = string.rep('x', 1000) .. i end
end
function eat_lists(rec)
  local l = list()
  for i = 1, 1e9 do list.append(l, list{i}) end
end
function eat_bytes(rec)
  local l = list()
  for i = 1, 1e9 do list.append(l, bytes(100000)) end
end
function eat_maps(rec)
  local m = map()
  for i = 1, 1e9 do m[i] = 'some text' end
end
function far_list(rec) local l = list() l[4000000000] = 1 end
function empty_rep(rec) string.rep('', 1 << 62) error('done') end
function move(rec) table.move({}, 1, 1 << 40, 2) end
function long_rep(rec) return string.rep('x', 1 << 40) end
function recursion(rec) local function f() return 1 + f() end return f() end
function collector(rec) setmetatable({}, { __gc = function() while true do end end }) end
function bytecode(rec)
  local f, message = load('\27Lua')
  error(message)
end
function outside(rec)
  if os or io or package or dofile or loadfile or string.dump or collectgarbage or coroutine then error('something') end
  error('nothing')
end
function cycle_text(rec) local l = list() list.append(l, l) return tostring(l) end
function wide_text(rec)
  local l = list{1, 2, 3}
  for i = 1, 60 do l = list{l, l} end
  return tostring(l)
end
function cycle(rec) local l = list() list.append(l, l) list.append(l, string.rep('x', 100000)) return l end
function store_cycle(rec)
  local m = map()
  m[1] = m
  rec['m'] = m
  aerospike:create(rec)
end
function deep(rec)
  local l = list()
  for i = 1, 5000 do l = list{l} end
  return 1
end
function patterns(rec)
  return string.find(string.rep('a', 100000), string.rep('.-', 20) .. 'b')
end
