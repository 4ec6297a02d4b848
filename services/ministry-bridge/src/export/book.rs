use eduhub_faults::Fault;
use eduhub_pg::in_tx;
use eduhub_proto::common::v1::{Dataset, Kind};
use rust_xlsxwriter::{DataValidation, Format, Formula, Note, Workbook, Worksheet, XlsxError};
use sha2::{Digest, Sha256};

use super::cells::{Cell, CodeSheet, Sheet};
use super::{codes, name, store};
use crate::core::Core;
use crate::error::Error;
use crate::fill::TX;
use crate::jobs::{self, Job};
use crate::mapping::{parts_of, sent_kinds};
use crate::seal::read_page;
use crate::transfer::{self, Transfer};

/// Writes the workbook of a transfer and ends the job.
///
/// # Errors
/// [`Error`].
pub async fn write(core: &Core, job: &Job, transfer: &Transfer) -> Result<(), Error> {
    let sheets = sheets(core, transfer).await?;
    let mut lists = Vec::new();
    let needed: std::collections::BTreeSet<_> = sheets.iter().flat_map(Sheet::code_lists).collect();
    for list in needed {
        lists.push(codes::valid(core, list).await?);
    }
    let records = sheets.iter().map(|sheet| sheet.rows.len()).sum::<usize>();
    let file = tokio::task::spawn_blocking(move || render(&sheets, &lists)).await.map_err(Fault::internal)?;
    let file = file.map_err(Fault::internal)?;
    let export = store::Export {
        file_name: name::file_name(&transfer.school_name, transfer.dataset),
        sha256: Sha256::digest(&file).to_vec(),
        size_bytes: i64::try_from(file.len()).unwrap_or(i64::MAX),
        records: i64::try_from(records).unwrap_or(i64::MAX),
        sealed: core.vault.seal(&store::aad(transfer.transfer_id), &file)?,
    };
    let (lease, id) = (job.lease(), transfer.transfer_id);
    in_tx(&core.pool, TX, move |conn| {
        Box::pin(async move {
            transfer::lock(conn, id).await?;
            jobs::finish(conn, &lease).await?;
            store::put(conn, id, &export).await?;
            transfer::mark_exported(conn, id).await?;
            Ok::<_, Error>(())
        })
    })
    .await
}

/// Kinds that have a sheet.
pub(super) fn kinds(dataset: Dataset) -> Vec<Kind> {
    let of = |kind: &Kind| std::iter::once(*kind).chain(parts_of(*kind).iter().copied());
    sent_kinds(dataset).iter().flat_map(of).collect()
}

/// A sheet per kind of the dataset, as sealed.
async fn sheets(core: &Core, transfer: &Transfer) -> Result<Vec<Sheet>, Error> {
    let mut sheets = Vec::new();
    for kind in kinds(transfer.dataset) {
        let mut sheet = Sheet::new(kind);
        let mut token = String::new();
        loop {
            let (entries, next) = read_page(&core.peers, &transfer.seal_id, kind, token).await?;
            entries.iter().for_each(|entry| sheet.add(entry.record.annotated()));
            if next.is_empty() {
                break;
            }
            token = next;
        }
        sheets.push(sheet);
    }
    Ok(sheets)
}

fn render(sheets: &[Sheet], lists: &[CodeSheet]) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    for sheet in sheets {
        fill(book.add_worksheet(), sheet, lists)?;
    }
    for list in lists {
        let page = book.add_worksheet();
        page.set_name(list.list)?;
        header(page, 0, "Mã", "Mã")?;
        header(page, 1, "Tên", "Tên")?;
        for (row, (code, name)) in (1u32..).zip(&list.codes) {
            page.write_string(row, 0, code)?;
            page.write_string(row, 1, name)?;
        }
        page.autofit();
    }
    book.save_to_buffer()
}

fn fill(page: &mut Worksheet, sheet: &Sheet, lists: &[CodeSheet]) -> Result<(), XlsxError> {
    page.set_name(sheet.title())?;
    page.set_freeze_panes(1, 0)?;
    // Leading zeros of codes survive only in cells of type text, also in those that somebody fills in later.
    let text = Format::new().set_num_format("@");
    let last = u32::try_from(sheet.rows.len()).unwrap_or(u32::MAX).max(1);
    for (col, field) in (0u16..).zip(sheet.columns()) {
        header(page, col, field.excel, field.label)?;
        let list = lists.iter().find(|list| list.list == field.code_list && !list.codes.is_empty());
        if let Some(list) = list {
            let range = Formula::new(format!("={}!$A$2:$A${}", list.list, list.codes.len() + 1));
            page.add_data_validation(1, col, last, col, &DataValidation::new().allow_list_formula(range))?;
        }
    }
    for (row, cells) in (1u32..).zip(&sheet.rows) {
        for (col, cell) in (0u16..).zip(cells) {
            match cell {
                Cell::Empty => {}
                Cell::Text(value) => {
                    page.write_string_with_format(row, col, value, &text)?;
                }
                Cell::Number(value) => {
                    page.write_number(row, col, *value)?;
                }
            }
        }
    }
    page.autofit();
    Ok(())
}

/// Header cell; the label of the dictionary is its note.
fn header(page: &mut Worksheet, col: u16, title: &str, label: &str) -> Result<(), XlsxError> {
    page.write_string_with_format(0, col, title, &Format::new().set_bold())?;
    if title != label {
        page.insert_note(0, col, &Note::new(label).add_author_prefix(false))?;
    }
    Ok(())
}
