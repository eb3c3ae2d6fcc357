-- Functions for the tests; some tests know their lines.
function exists(rec)
  return aerospike:exists(rec)
end
local function save(rec)
  if aerospike:exists(rec) then return aerospike:update(rec) end
  return aerospike:create(rec)
end
function update(rec)
  rec['a'] = 1
  return aerospike:update(rec)
end
function remove(rec)
  return aerospike:remove(rec)
end
function twice(rec)
  rec['a'] = 1
  local x = aerospike:create(rec)
  rec['a'] = 2
  local y = aerospike:update(rec)
  return list{x, y, aerospike:create(rec), rec['a'], record.gen(rec)}
end
function meta(rec)
  return list{record.ttl(rec), record.gen(rec), record.numbins(rec), record.setname(rec),
    tostring(record.digest(rec)), record.size(rec), record.device_size(rec), record.key(rec)}
end
function names(rec)
  local names = record.bin_names(rec)
  return list(names)
end
function many_bins(rec, n)
  for i = 1, n do rec['b' .. i] = i end
  return save(rec)
end
function alias(rec)
  list.append(rec['l'], 'more')
  aerospike:update(rec)
  return rec['l']
end
function not_written(rec)
  rec['q'] = 5
  return rec['q']
end
function set_ttl(rec)
  record.set_ttl(rec, 100)
  record.drop_key(rec)
  return aerospike:update(rec)
end
function error_text(rec) error('no luck') end
function error_plain(rec) error('plain', 0) end
function error_table(rec) error({}) end
function call_nil(rec) local f = nil; f() end
function index_nil(rec) return rec.x.y.z end
function set_table(rec) rec['t'] = {1, 2} end
function bad_list(rec) list.append(5, 1) end
function bad_map(rec) map.keys(list()) end
function no_method(rec) aerospike:nothere(rec) end
function caught(rec) local _, e = pcall(function() list.size(nil) end) return e end
function echo(rec, a) return a end
function count(rec, ...) return select('#', ...) end
function kind(rec, a) return type(a) .. ' ' .. tostring(a) end
function nul(rec) return 'a\0b' end
function table(rec) return {1} end
function required(rec) return require('helper').name() end
function classes(rec)
  return list{getmetatable(list()) == List, getmetatable(map()) == Map, getmetatable(bytes()) == Bytes,
    getmetatable(rec) == List}
end
function lists(rec)
  local l = list{1, 2, 3, 'x', true, 1.5}
  list.append(l, 9)
  list.prepend(l, 0)
  list.insert(l, 3, 'ins')
  list.remove(l, 1)
  l[20] = 'far'
  return list{#l, list.size(l), tostring(l), l, list.take(l, 2), list.drop(l, 18), list.nbytes(l)}
end
function lists2(rec)
  local l = list{1, 2}
  list.insert(l, 6, 'i')
  local m = list{}
  m[3] = 1
  list.append(m, nil)
  list.trim(m, 2)
  local c = list{1, 2}
  list.concat(c, list{7, 8})
  return list{l, m, c, list.merge(list{1, 2}, c), tostring(list()), list.take(l, 0) == nil, list.new(3),
    tostring(list.take(l, 100))}
end
function loops(rec)
  local s = list()
  for _, v in ipairs(list{4, 5}) do list.append(s, v) end
  local f, i = list.iterator(list{1, 2})
  return list{s, list{iterator.has_next(i), iterator.next(i), iterator.next(i), iterator.next(i), iterator.has_next(i)}}
end
function maps(rec)
  local m = map{a = 1, [5] = 2, b = list{1}}
  m['z'] = map()
  m[1.5] = 'd'
  m[true] = 1
  m['a'] = nil
  map.remove(m, 'b')
  local ks, vs = list(), list()
  for k in map.keys(m) do list.append(ks, k) end
  for v in map.values(m) do list.append(vs, v) end
  return list{#m, map.size(m), tostring(m), m, ks, vs, map.nbytes(m)}
end
function maps2(rec)
  local a, b = map{a = 1, b = 2}, map{b = 3, c = 4}
  return list{map.merge(a, b), map.merge(a, b, function(x, y) return x + y end), map.diff(a, b), map.clone(a),
    map.new(2), map(), math.sum(1, 2), math.product(2, 3)}
end
function map_keys(rec)
  local m, k = map(), bytes(2)
  bytes.append_string(k, 'ab')
  m[list{1}] = 1
  m[k] = 2
  return m
end
function fixed_ints(rec)
  local b = bytes(4)
  bytes.append_int32(b, 7)
  bytes.append_string(b, 'hey')
  bytes.append_byte(b, 255)
  b[1] = 9
  bytes.set_int32_le(b, 9, 0)
  return list{#b, bytes.size(b), tostring(b), bytes.get_int32(b, 1) - 150994944, bytes.get_string(b, 5, 3),
    bytes.get_byte(b, 8), bytes.get_type(b), bytes.get_bytes(b, 1, 2), b[100], bytes.set_byte(b, 1, 300),
    bytes.set_int16(b, 1, -2) and bytes.get_int16(b, 1)}
end
function var_ints(rec)
  local b = bytes()
  local size = bytes.append_var_int(b, 300)
  local v, n = bytes.get_var_int(b, 1)
  return list{size, v, n, b, tostring(b), bytes.append_int16(b, 99999), bytes.set_size(b, 1)}
end
