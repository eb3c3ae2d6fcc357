//! Lists, maps, bytes and the record, as Lua has them: userdata, whose metamethods the prelude supplies.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::rc::Rc;

use mlua::{AnyUserData, Function, Lua, Table, UserData, UserDataFields, Value};

use crate::limits::Meter;
use crate::lua::args::Fail;
use crate::record::RecordState;
use crate::value::{Bytes, Heap, List, Map, MapKey, Val};

/// A value of one class.
#[derive(Clone, Debug)]
pub(crate) struct Object<T>(pub(crate) T);

/// GeoJSON text.
#[derive(Clone, Debug)]
pub(crate) struct GeoJson(pub(crate) Rc<[u8]>);

/// The record of the call.
#[derive(Debug)]
pub(crate) struct Record;

/// The object by which scripts reach the server.
#[derive(Debug)]
pub(crate) struct Server;

/// Where a loop over a list or map is.
#[derive(Debug)]
pub(crate) enum Cursor {
    List { list: List, next: usize },
    Map { map: Map, after: Option<MapKey>, is_at_end: bool },
}

/// A loop over a list or map.
#[derive(Debug)]
pub(crate) struct Iterator(pub(crate) RefCell<Cursor>);

/// What the functions of a state share.
pub(crate) struct Shared {
    pub(crate) heap: Heap,
    pub(crate) record: RefCell<Option<RecordState>>,
}

impl Shared {
    pub(crate) fn meter(&self) -> &Meter {
        &self.heap.meter
    }

    /// Checks that `bytes` more fit. Frees what scripts no longer hold if they do not.
    pub(crate) fn make_room(&self, lua: &Lua, bytes: usize) -> Result<(), Fail> {
        if self.meter().has_room(bytes) {
            return Ok(());
        }
        // Collecting takes time in proportion to what is there.
        self.meter().work(100_000)?;
        lua.gc_collect()?;
        if self.meter().has_room(bytes) { Ok(()) } else { Err(self.meter().out_of_memory().into()) }
    }
}

/// The metamethods of each class, by name.
pub(crate) struct Metamethods(pub(crate) Table);

/// The class of a userdata, as the server names it.
pub(crate) fn class_of(userdata: &AnyUserData) -> &'static str {
    if userdata.is::<Object<List>>() {
        "List"
    } else if userdata.is::<Object<Map>>() {
        "Map"
    } else if userdata.is::<Object<Bytes>>() {
        "Bytes"
    } else if userdata.is::<Object<GeoJson>>() {
        "GeoJSON"
    } else if userdata.is::<Record>() {
        "Record"
    } else if userdata.is::<Server>() {
        "Aerospike"
    } else if userdata.is::<Iterator>() {
        "Iterator"
    } else {
        "userdata"
    }
}

/// Adds the metamethods of a class.
fn add_metamethods<T, F: UserDataFields<T>>(fields: &mut F, class: &'static str, names: &[&'static str]) {
    for &name in names {
        fields.add_meta_field_with(name, move |lua| {
            let metamethods = lua.app_data_ref::<Metamethods>();
            let Some(metamethods) = metamethods else { return Ok(Value::Nil) };
            let of_class: Table = metamethods.0.get(class)?;
            Ok(Value::Function(of_class.get::<Function>(name)?))
        });
    }
}

impl UserData for Object<List> {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        add_metamethods(fields, "List", &["__index", "__newindex", "__len", "__tostring"]);
    }
}

impl UserData for Object<Map> {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        add_metamethods(fields, "Map", &["__index", "__newindex", "__len", "__tostring"]);
    }
}

impl UserData for Object<Bytes> {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        add_metamethods(fields, "Bytes", &["__index", "__newindex", "__len", "__tostring"]);
    }
}

impl UserData for Object<GeoJson> {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        add_metamethods(fields, "GeoJSON", &["__tostring"]);
    }
}

impl UserData for Record {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        add_metamethods(fields, "Record", &["__index", "__newindex"]);
    }
}

impl UserData for Server {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field_with("__index", |lua| {
            let metamethods = lua.app_data_ref::<Metamethods>();
            let Some(metamethods) = metamethods else { return Ok(Value::Nil) };
            metamethods.0.get::<Value>("Aerospike")
        });
    }
}

impl UserData for Iterator {}

/// Gives a value to Lua.
pub(crate) fn push(lua: &Lua, value: Val) -> mlua::Result<Value> {
    Ok(match value {
        Val::Nil => Value::Nil,
        Val::Bool(value) => Value::Boolean(value),
        Val::Int(number) => Value::Integer(number),
        Val::Float(number) => Value::Number(number),
        Val::Str(text) => Value::String(lua.create_string(&text)?),
        Val::GeoJson(text) => Value::UserData(lua.create_userdata(Object(GeoJson(text)))?),
        Val::Bytes(bytes) => Value::UserData(lua.create_userdata(Object(bytes))?),
        Val::List(list) => Value::UserData(lua.create_userdata(Object(list))?),
        Val::Map(map) => Value::UserData(lua.create_userdata(Object(map))?),
    })
}

/// Takes a value from Lua; `None` for one that cannot leave it, such as a table.
pub(crate) fn take(value: &Value) -> Option<Val> {
    Some(match value {
        Value::Nil => Val::Nil,
        Value::Boolean(value) => Val::Bool(*value),
        Value::Integer(number) => Val::Int(*number),
        Value::Number(number) => Val::Float(*number),
        Value::String(text) => Val::text(&text.as_bytes()),
        Value::UserData(userdata) => {
            fn object<T: Clone + 'static>(userdata: &AnyUserData, _: PhantomData<T>) -> Option<T> {
                userdata.borrow::<Object<T>>().ok().map(|object| object.0.clone())
            }
            if let Some(list) = object(userdata, PhantomData::<List>) {
                Val::List(list)
            } else if let Some(map) = object(userdata, PhantomData::<Map>) {
                Val::Map(map)
            } else if let Some(bytes) = object(userdata, PhantomData::<Bytes>) {
                Val::Bytes(bytes)
            } else {
                Val::GeoJson(object(userdata, PhantomData::<GeoJson>)?.0)
            }
        }
        _ => return None,
    })
}
