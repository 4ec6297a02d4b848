-- Persons are found by the words of their names (decision 0013): a column of folded words, which the writer fills, and an
-- index that few different words keep small.

set local lock_timeout = '5s';

alter table pupil_record add column full_name_words tsvector;
alter table staff_record add column full_name_words tsvector;

-- What was written before is folded here, as the writer folds: accents off, small letters.
update pupil_record set full_name_words = strip(to_tsvector('simple', regexp_replace(
    translate(lower(normalize(full_name, nfd)), U&'\0111\0110\0300\0301\0302\0303\0306\0309\031B\0323', 'dd'),
    '[^[:alnum:]]+', ' ', 'g')))
  where full_name is not null;
update staff_record set full_name_words = strip(to_tsvector('simple', regexp_replace(
    translate(lower(normalize(full_name, nfd)), U&'\0111\0110\0300\0301\0302\0303\0306\0309\031B\0323', 'dd'),
    '[^[:alnum:]]+', ' ', 'g')))
  where full_name is not null;

create index pupil_record_full_name_words on pupil_record using gin (full_name_words);
create index staff_record_full_name_words on staff_record using gin (full_name_words);
