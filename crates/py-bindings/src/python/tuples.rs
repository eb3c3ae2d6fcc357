//! Instances of named tuples, made without a call of their class.
//!
//! A query makes two of them per record. `tuple.__new__`, called from here, costs three times as much: it makes a tuple
//! of arguments and a plain tuple, and copies the items.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};

/// A class that derives from `tuple` and adds nothing to its instances, as named tuples do.
pub(crate) struct TupleClass {
    class: Py<PyType>,
    alloc: ffi::allocfunc,
}

impl TupleClass {
    /// # Errors
    /// `class` is not such a class.
    pub(crate) fn new(class: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = class.py();
        let class = class.cast::<PyType>()?;
        let size = |class: &Bound<'_, PyType>| class.getattr("__basicsize__")?.extract::<usize>();
        if !class.is_subclass_of::<PyTuple>()? || size(class)? != size(&py.get_type::<PyTuple>())? {
            let message = format!("{class} does not derive from tuple, or adds to it");
            return Err(pyo3::exceptions::PyTypeError::new_err(message));
        }
        // SAFETY: `class` is a class, and the slot of that number is its allocator, which each class inherits.
        let alloc = unsafe {
            let slot = ffi::PyType_GetSlot(class.as_type_ptr(), ffi::Py_tp_alloc);
            assert!(!slot.is_null(), "{class} has no allocator");
            std::mem::transmute::<*mut std::ffi::c_void, ffi::allocfunc>(slot)
        };
        Ok(Self { class: class.clone().unbind(), alloc })
    }

    /// An instance with these items.
    ///
    /// # Errors
    /// There is no memory.
    #[inline]
    pub(crate) fn make<'py, const N: usize>(
        &self,
        py: Python<'py>,
        items: [Bound<'py, PyAny>; N],
    ) -> PyResult<Bound<'py, PyAny>> {
        // SAFETY: the class derives from tuple, so its allocator makes a tuple with room for N items, all of them NULL,
        // which the garbage collector skips. The instance is new and has no other reference, as `PyTuple_SetItem` demands;
        // each index is below N, and each item's reference is given away.
        unsafe {
            let instance = (self.alloc)(self.class.bind(py).as_type_ptr(), N as ffi::Py_ssize_t);
            let instance = Bound::from_owned_ptr_or_err(py, instance)?;
            for (item, at) in items.into_iter().zip(0..) {
                if ffi::PyTuple_SetItem(instance.as_ptr(), at, item.into_ptr()) != 0 {
                    return Err(PyErr::fetch(py));
                }
            }
            Ok(instance)
        }
    }
}
