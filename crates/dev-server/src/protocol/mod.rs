pub(crate) mod answer;
