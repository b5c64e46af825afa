//! Repairs of cells: what is proposed for a row, and what an operator took of it.

use std::collections::HashMap;

use crate::domain::Problem;

use super::{
    Fault, Instead, Offer,
    column::{Column, Part},
    plan::own_line,
    table::{Row, Table},
};

/// The most characters of a number, name or model that a verdict repeats.
const MAX_ABOUT: usize = 80;

/// Puts what an operator says in the place of cells.
///
/// # Errors
///
/// Each value whose cell is not there: the list is another one than the operator looked at.
pub(super) fn mend(
    mut table: Table,
    file: &str,
    instead: &[Instead],
) -> Result<Table, Vec<Problem>> {
    let mut rows: HashMap<usize, Vec<usize>> = HashMap::new();
    for (place, row) in table.rows.iter().enumerate().filter(|_| !instead.is_empty()) {
        rows.entry(row.line).or_default().push(place);
    }
    let mut problems = Vec::new();
    for Instead { line, column, value } in instead {
        let wanted = Column::parse(column).ok();
        let mut mended = false;
        for row in rows.get(line).into_iter().flatten() {
            let own = own_line(&table, &table.rows[*row]).unwrap_or(1);
            let is_it = |column: &Column| match column {
                Column::Own(part) => {
                    wanted == Some(Column::Line(own, *part)) || wanted.as_ref() == Some(column)
                }
                column => wanted.as_ref() == Some(column),
            };
            let place = table.columns.iter().position(|column| column.as_ref().is_some_and(is_it));
            if let Some(cell) = place.and_then(|place| table.rows[*row].cells.get_mut(place)) {
                cell.clone_from(value);
                mended = true;
            }
        }
        if !mended {
            let text = format!("there is no cell `{}` to mend", crate::domain::clip(column, 40));
            problems.push(Problem::error(file, Some(*line), text).help("check the list again"));
        }
    }
    if problems.is_empty() { Ok(table) } else { Err(problems) }
}

/// What is proposed against faults.
pub(super) fn offers(faults: &[Fault]) -> Vec<Offer> {
    let offer = |fault: &Fault| {
        let (column, why) = (fault.column.clone(), fault.reason.clone());
        Some(Offer { column, value: fault.instead.clone()?, why })
    };
    faults.iter().filter_map(offer).collect()
}

/// What an operator knows a row by: number, name and model.
pub(super) fn about(table: &Table, row: &Row) -> [String; 3] {
    let own = |part| [Column::Own(part), Column::Line(1, part)];
    let wanted = [own(Part::Number), own(Part::Name), [Column::Model, Column::Model]];
    wanted.map(|names| {
        let is_it = |column: &Option<Column>| column.as_ref().is_some_and(|c| names.contains(c));
        let place = table.columns.iter().position(is_it);
        let text = place.and_then(|place| row.cells.get(place)).map_or("", |text| text.trim());
        crate::domain::clip(text, MAX_ABOUT)
    })
}
