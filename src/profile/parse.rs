//! From a folder's texts to a family that holds together; every problem at once, with line and remedy.

use std::{collections::BTreeMap, ops::Range, path::Path};

use serde::de::DeserializeOwned;
use toml::Spanned;

use crate::domain::{FamilyName, Problem, Severity};

use super::{
    Block, DhcpRule, ExtraForm, Family, FileRule, Form, Format, Model, Normal, ServerOption,
    lazy::Lazy,
    load::{Folder, PROFILE, Source},
    pattern::{PLACEHOLDERS, Pattern},
    recognize::{Expression, Recognizer},
    table::{
        BlockTable, Clients, Dhcp, ExtraTable, ExtraWord, FileTable, PatternTable, ServerTable,
        Table,
    },
    template, xml,
};

/// A family with what the catalog needs to find it.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) family: Family,
    pub(super) recognizer: Recognizer,
    /// One for each of the family's files.
    pub(super) patterns: Vec<Pattern>,
    /// The family that this one comes right after; by name otherwise.
    pub(super) after: Option<String>,
}

/// Reads a family. `None` if it can't be used; warnings leave it usable.
pub(super) fn family(name: &str, folder: &Folder, problems: &mut Vec<Problem>) -> Option<Parsed> {
    let source = folder.get(PROFILE)?;
    let table: Table = read(source, problems)?;
    let mut reader = Reader { source, problems: Vec::new() };
    let models = reader.models(&table);
    let (files, patterns) = reader.files(&table, &models, folder);
    let recognizer = Recognizer {
        option_60: reader.expressions(&table.recognize.option_60, &table.also),
        option_12: reader.expressions(&table.recognize.option_12, &table.also),
        user_agent: reader.expressions(&table.recognize.user_agent, &table.also),
        option_55: table.recognize.option_55.clone(),
        enterprise: table.recognize.enterprise,
        firmware_tells: table.recognize.firmware_tells,
    };
    let blocks = reader.blocks(&table.recognize.oui, &table.also, &models);
    let dhcp = reader.dhcp(&table.dhcp);
    reader.templates(&files, folder);
    let usable = reader.problems.iter().all(|problem| problem.severity == Severity::Warning);
    problems.append(&mut reader.problems);
    let family = Family {
        name: FamilyName::new(name),
        vendor: table.vendor,
        also: table.also,
        title: table.title,
        format: table.format.into(),
        provisions: table.provisions,
        files,
        models,
        dhcp,
        blocks,
        resync: table.resync,
        reset: table.reset,
        mac_macro: table.mac_macro,
        floors: table.floors.into_iter().map(Into::into).collect(),
        time_zones: table.time_zones,
        patience: table.patience,
        releases: table.releases,
        tftp: table.tftp,
        advice: table.advice,
        srtp_off: table.srtp_off,
        zone_form: table.time_zone_form.into(),
        unverified: table.unverified,
        sources: table.sources,
    };
    usable.then_some(Parsed { family, recognizer, patterns, after: table.after })
}

/// Reads the clients that are known not to be phones.
pub(super) fn clients(source: &Source, problems: &mut Vec<Problem>) -> Vec<(Lazy, String)> {
    let Some(table) = read::<Clients>(source, problems) else { return Vec::new() };
    let mut reader = Reader { source, problems: Vec::new() };
    let mut clients = Vec::new();
    for client in table.clients {
        for text in &client.option_60 {
            let regex = reader.regex(text.get_ref(), &text.span());
            clients.extend(regex.map(|regex| (regex, client.name.clone())));
        }
    }
    problems.append(&mut reader.problems);
    clients
}

fn read<T: DeserializeOwned>(source: &Source, problems: &mut Vec<Problem>) -> Option<T> {
    let error = match toml::from_str(&source.text) {
        Ok(table) => return Some(table),
        Err(error) => error,
    };
    let line = error.span().map(|span| line(&source.text, &span));
    let problem = Problem::error(&source.path, line, error.message());
    problems.push(match nearest_key(error.message()) {
        Some(key) => problem.help(format!("did you mean `{key}`?")),
        None => problem,
    });
    None
}

fn line(text: &str, span: &Range<usize>) -> usize {
    text.as_bytes()[..span.start.min(text.len())].split(|byte| *byte == b'\n').count()
}

/// The known key closest to the unknown one in serde's "unknown field `x`, expected one of `a`, `b`".
fn nearest_key(message: &str) -> Option<String> {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = quoted.next().filter(|_| message.starts_with("unknown"))?;
    nearest(unknown, quoted).map(str::to_owned)
}

/// The candidate that a typing error turns into `word`.
fn nearest<'c>(word: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    let scored =
        candidates.map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate));
    scored
        .min()
        .filter(|(distance, _)| *distance <= 1 + word.len() / 4)
        .map(|(_, candidate)| candidate)
}

/// A text under examination and what was found wrong with it.
struct Reader<'s> {
    source: &'s Source,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn tell(&mut self, span: &Range<usize>, text: impl Into<String>, help: impl Into<String>) {
        let line = line(&self.source.text, span);
        self.problems.push(Problem::error(&self.source.path, Some(line), text).help(help));
    }

    fn regex(&mut self, text: &str, span: &Range<usize>) -> Option<Lazy> {
        let regex = Lazy::new(text);
        let compiled = if self.source.shipped { Ok(()) } else { regex.compile() };
        let error = match compiled {
            Ok(()) => return Some(regex),
            Err(error) => error.to_string(),
        };
        let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
        let text = format!("`{text}` is no regular expression: {reason}");
        self.tell(span, text, "the syntax is that of Rust's regex crate");
        None
    }

    fn expressions(
        &mut self,
        tables: &[Spanned<PatternTable>],
        also: &[String],
    ) -> Vec<Expression> {
        let mut expressions = Vec::new();
        for table in tables {
            let (text, brand) = table.get_ref().parts();
            self.brand(brand, also, &table.span());
            let regex = self.regex(text, &table.span());
            expressions.extend(regex.map(|regex| Expression { regex, brand: brand.cloned() }));
        }
        expressions
    }

    /// A brand is one of the family's names, or settings for it would not reach the phones that carry it.
    fn brand(&mut self, brand: Option<&String>, also: &[String], span: &Range<usize>) {
        if let Some(brand) = brand.filter(|brand| !also.contains(brand)) {
            let text = format!("the brand `{brand}` is not among this profile's names");
            self.tell(span, text, format!("also = [\"{brand}\"]"));
        }
    }

    fn blocks(
        &mut self,
        tables: &[Spanned<BlockTable>],
        also: &[String],
        models: &BTreeMap<String, Model>,
    ) -> Vec<Block> {
        let mut blocks = Vec::new();
        for table in tables {
            let (text, brand, model) = table.get_ref().parts();
            self.brand(brand, also, &table.span());
            if let Some(model) = model.filter(|model| !models.contains_key(*model)) {
                self.unknown_model(model, models, &table.span());
            }
            match Block::new(text) {
                Some(mut block) => {
                    (block.brand, block.model) = (brand.cloned(), model.cloned());
                    blocks.push(block);
                }
                None => self.tell(
                    &table.span(),
                    format!("`{text}` is no prefix"),
                    "six hexadecimal digits or more, such as 0004f2, or FIRST-LAST of twelve each",
                ),
            }
        }
        blocks
    }

    fn unknown_model(
        &mut self,
        model: &str,
        models: &BTreeMap<String, Model>,
        span: &Range<usize>,
    ) {
        let text = format!("the model `{model}` is not among this profile's");
        let near = nearest(model, models.keys().map(String::as_str));
        let help = near.map_or("add a [[model]] of that name".to_owned(), |near| {
            format!("did you mean `{near}`?")
        });
        self.tell(span, text, help);
    }

    fn models(&mut self, table: &Table) -> BTreeMap<String, Model> {
        let mut models = BTreeMap::new();
        for model in &table.models {
            let name = model.name.get_ref();
            if models.insert(name.clone(), Model::from(model)).is_some() {
                self.tell(
                    &model.name.span(),
                    format!("the model {name} is there twice"),
                    "remove one of the two",
                );
            }
        }
        models
    }

    fn files(
        &mut self,
        table: &Table,
        models: &BTreeMap<String, Model>,
        folder: &Folder,
    ) -> (Vec<FileRule>, Vec<Pattern>) {
        let (mut files, mut patterns): (Vec<FileRule>, Vec<Pattern>) = Default::default();
        for file in &table.files {
            let name = file.name.get_ref();
            if files.iter().any(|other: &FileRule| other.name == *name) {
                self.tell(
                    &file.name.span(),
                    format!("the file {name} is there twice"),
                    "remove one of the two",
                );
            }
            let pattern = Pattern::new(name);
            let shipped = self.source.shipped;
            match pattern.and_then(|one| if shipped { Ok(one) } else { one.compiled(name) }) {
                Ok(pattern) => patterns.push(pattern),
                Err(error) => {
                    let known = PLACEHOLDERS.map(|(word, _)| format!("{{{word}}}")).join(" ");
                    self.tell(&file.name.span(), error.to_string(), format!("one of {known}"));
                }
            }
            self.references(file, models, folder);
            self.brand(file.brand.as_ref(), &table.also, &file.name.span());
            let mut rule = rule(file, table);
            rule.extra = file.extra.as_ref().and_then(|table| self.extra(table, rule.format));
            files.push(rule);
        }
        self.digests(table);
        (files, patterns)
    }

    /// The file whose digest another one holds must be there.
    fn digests(&mut self, table: &Table) {
        for file in &table.files {
            let Some(of) = &file.digest_of else { continue };
            let mut names = table.files.iter().map(|other| other.name.get_ref());
            if !names.any(|name| name == of.get_ref() && name != file.name.get_ref()) {
                let text = format!("there is no other file named `{}` here", of.get_ref());
                self.tell(&of.span(), text, "the name of a [[file]], placeholders included");
            }
        }
    }

    /// What a file names must be there: its template and its model.
    fn references(&mut self, file: &FileTable, models: &BTreeMap<String, Model>, folder: &Folder) {
        if let Some(template) =
            file.template.as_ref().filter(|name| !folder.contains_key(name.get_ref()))
        {
            let text = format!("there is no template `{}` beside this file", template.get_ref());
            let near = nearest(template.get_ref(), folder.keys().map(String::as_str));
            let help = near.map_or("add it, or take the line out".to_owned(), |near| {
                format!("did you mean `{near}`?")
            });
            self.tell(&template.span(), text, help);
        }
        if let Some(model) = file.model.as_ref().filter(|name| !models.contains_key(name.get_ref()))
        {
            self.unknown_model(model.get_ref(), models, &model.span());
        }
    }

    /// The form of values that are merged last must be one of the file's own format.
    fn extra(&mut self, table: &Spanned<ExtraTable>, format: Format) -> Option<ExtraForm> {
        let ExtraTable { form, at, attributes, index } = table.get_ref();
        let (form, of) = match form {
            ExtraWord::Line => (ExtraForm::Line, Format::Ini),
            ExtraWord::Quoted => (ExtraForm::Quoted, Format::Text),
            ExtraWord::Assigned => (ExtraForm::Assigned, Format::Text),
            ExtraWord::Colon => (ExtraForm::Colon, Format::Text),
            ExtraWord::Set => (ExtraForm::Set, Format::Text),
            ExtraWord::Attribute => (ExtraForm::Attribute, Format::Xml),
            ExtraWord::Object => (ExtraForm::Object, Format::Xml),
            ExtraWord::Element | ExtraWord::Param => {
                let at: Vec<String> = at.split('/').map(str::to_owned).collect();
                let is_param = matches!(form, ExtraWord::Param);
                let names = at.iter().chain(attributes.keys()).chain(index);
                let nameless = is_param && (index.is_none() || at.len() < 2);
                if nameless || names.clone().any(|name| xml::name(name).is_err()) {
                    let text = "`extra` does not say where its elements go";
                    self.tell(&table.span(), text, "at = \"device/vendorConfig\"");
                    return None;
                }
                let escaped =
                    |(name, value): (&String, &String)| (name.clone(), xml::escape(value));
                let (attributes, index) = (attributes.iter().map(escaped).collect(), index.clone());
                let form = match index {
                    Some(key) if is_param => ExtraForm::Param { at, key },
                    index => ExtraForm::Element { at, attributes, index },
                };
                (form, Format::Xml)
            }
        };
        if of != format {
            let text = "the form of `extra` is not one of this file's format";
            let help = "xml: attribute, element, param, object; ini: line; text: quoted, assigned, colon, set";
            self.tell(&table.span(), text, help);
        }
        Some(form)
    }

    fn dhcp(&mut self, table: &Dhcp) -> DhcpRule {
        let servers = table.servers.iter().map(|server| self.server(server)).collect();
        let mut vlan = Vec::new();
        for option in &table.vlan {
            if !option.text.get_ref().contains("{vlan}") {
                self.tell(
                    &option.text.span(),
                    "the text does not hold the VLAN",
                    "put `{vlan}` where its number goes",
                );
            }
            vlan.push((option.option, option.text.get_ref().clone()));
        }
        DhcpRule { servers, vlan }
    }

    fn server(&mut self, table: &ServerTable) -> ServerOption {
        let form = Form::from(table.form);
        let names_server = table.text.contains("{server}") || table.text.contains("{http}");
        if form == Form::Text && !names_server {
            let help = "a text with `{server}` (the address) or `{http}` (http://ADDRESS)";
            self.tell(&table.option.span(), "the text does not name the server", help);
        }
        if table.enterprise.is_some() && (*table.option.get_ref() != 125 || table.sub.is_none()) {
            let help = "option 125 carries them: `option = 125, enterprise = 1027, sub = 130`";
            let text = "an enterprise number is for the sub-options of option 125";
            self.tell(&table.option.span(), text, help);
        }
        ServerOption {
            code: *table.option.get_ref(),
            sub: table.sub,
            enterprise: table.enterprise,
            form,
            text: table.text.clone(),
        }
    }

    /// Every template compiles, and every one is used: by a file, or by another template.
    fn templates(&mut self, files: &[FileRule], folder: &Folder) {
        for (name, source) in folder.iter().filter(|(name, _)| *name != PROFILE) {
            let rendered = files.iter().any(|file| file.template.as_ref() == Some(name));
            if !rendered && Path::new(name).extension().is_none_or(|extension| extension != "j2") {
                continue;
            }
            if !source.shipped
                && let Err(problem) = template::compiles(source)
            {
                self.problems.push(problem.help("the syntax is that of Jinja"));
            }
            let mut others = folder.iter().filter(|(other, _)| *other != name && *other != PROFILE);
            if !rendered && !others.any(|(_, other)| other.text.contains(name)) {
                let text = format!("no file of this family is rendered from `{name}`");
                let problem = Problem::warning(&source.path, None, text);
                self.problems.push(problem.help("a [[file]] in profile.toml names it"));
            }
        }
    }
}

fn rule(file: &FileTable, table: &Table) -> FileRule {
    FileRule {
        name: file.name.get_ref().clone(),
        role: file.role.into(),
        template: file.template.as_ref().map(|name| name.get_ref().clone()),
        format: file.format.unwrap_or(table.format).into(),
        required: file.required,
        either: file.either.clone(),
        needs: file.needs.clone(),
        first: file.first,
        speaks: file.speaks.map(Into::into),
        normal: Normal { miss: file.miss.is_some(), abort: file.abort.is_some() },
        model: file.model.as_ref().map(|name| name.get_ref().clone()),
        extra: None,
        brand: file.brand.clone(),
        series: file.series.clone(),
        encode: file.encode,
        digest_of: file.digest_of.as_ref().map(|name| name.get_ref().clone()),
        longest: file.longest,
        phonebook: file.phonebook,
        note: file.note.clone(),
    }
}
