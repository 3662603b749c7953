//! What most inquirers ask: TXT records.

use smallvec::SmallVec;

use crate::{Answer, LookupError, Query, QueryId, QueryKind};

/// The TXT records that an [`Inquirer`](crate::Inquirer) asks for, and what came back. Each is told
/// by its place, counted from 0, and by its subject: what its name is made of. How many there may be is
/// for the inquirer to limit.
///
/// ```
/// use dkim_dns::TxtQuestions;
///
/// let mut questions = TxtQuestions::default();
/// let place = questions.push("example.com");
/// let queries = questions.queries(|domain| Some(format!("_dmarc.{domain}")));
/// assert_eq!(queries[0].name, "_dmarc.example.com");
/// assert!(questions.queries(|_| None).is_empty());
///
/// questions.answer(queries[0].id, Ok(Default::default()));
/// assert!(questions.answer_at(place).is_some());
/// ```
#[derive(Clone, Debug)]
pub struct TxtQuestions<S> {
    // A message has one signature as a rule.
    asked: SmallVec<[Question<S>; 1]>,
    /// How many of them were handed out.
    taken: usize,
}

#[derive(Clone, Debug)]
struct Question<S> {
    subject: S,
    answer: Option<Answer>,
}

impl<S> Default for TxtQuestions<S> {
    fn default() -> Self {
        Self { asked: SmallVec::new(), taken: 0 }
    }
}

impl<S> TxtQuestions<S> {
    /// How many there are, answered or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.asked.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    /// Adds a question, whether or not its subject is that of another one, and returns its place.
    pub fn push(&mut self, subject: S) -> usize {
        self.asked.push(Question { subject, answer: None });
        self.asked.len() - 1
    }

    /// The place of the question on this subject.
    #[must_use]
    pub fn place_of(&self, subject: &S) -> Option<usize>
    where
        S: PartialEq,
    {
        self.asked.iter().position(|question| question.subject == *subject)
    }

    /// The questions not handed out yet, by their names; one without a name is never asked. Nor is one
    /// by a name of more than [`Query::MAX_NAME`] octets: it has its answer, that there is no such name.
    pub fn queries(&mut self, name: impl Fn(&S) -> Option<String>) -> Vec<Query> {
        let new = self.asked.iter_mut().zip(0..).skip(self.taken);
        let queries = new.filter_map(|(question, id)| {
            let name = name(&question.subject)?;
            if name.len() > Query::MAX_NAME {
                question.answer = Some(Err(LookupError::NoSuchName));
                return None;
            }
            Some(Query { id: QueryId(id), name, kind: QueryKind::Txt })
        });
        let queries = queries.collect();
        self.taken = self.asked.len();
        queries
    }

    /// Takes an answer. The first one stands: a second one is nobody's.
    pub fn answer(&mut self, id: QueryId, answer: Answer) {
        let question = usize::try_from(id.0).ok().and_then(|place| self.asked.get_mut(place));
        if let Some(question) = question {
            question.answer.get_or_insert(answer);
        }
    }

    /// The answer to the question at this place, once there is one.
    #[must_use]
    pub fn answer_at(&self, place: usize) -> Option<&Answer> {
        self.asked.get(place)?.answer.as_ref()
    }

    /// All of them in order: what each is about, and its answer, once there is one.
    pub fn iter(&self) -> impl Iterator<Item = (&S, Option<&Answer>)> {
        self.asked.iter().map(|question| (&question.subject, question.answer.as_ref()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_is_asked_once_and_the_first_answer_stands() {
        let mut questions = TxtQuestions::default();
        let ask = |questions: &mut TxtQuestions<&str>| {
            let queries = questions.queries(|name| Some((*name).to_owned()));
            queries.into_iter().map(|query| (query.id.0, query.name)).collect::<Vec<_>>()
        };
        assert!(questions.is_empty());
        assert_eq!((questions.push("a"), questions.push("b")), (0, 1));
        assert_eq!(ask(&mut questions), [(0, "a".to_owned()), (1, "b".to_owned())]);
        assert_eq!(questions.push("c"), 2);
        assert_eq!(ask(&mut questions), [(2, "c".to_owned())]);
        assert_eq!(ask(&mut questions), []);
        assert_eq!((questions.place_of(&"b"), questions.place_of(&"d")), (Some(1), None));
        assert_eq!((questions.len(), questions.is_empty()), (3, false));

        questions.answer(QueryId(1), Err(LookupError::NoSuchName));
        questions.answer(QueryId(1), Err(LookupError::Timeout));
        questions.answer(QueryId(3), Err(LookupError::Timeout));
        let answer = Err(LookupError::NoSuchName);
        let found: Vec<_> = questions.iter().collect();
        assert_eq!(found, [(&"a", None), (&"b", Some(&answer)), (&"c", None)]);
        assert_eq!(questions.answer_at(1), Some(&answer));
        assert_eq!((questions.answer_at(0), questions.answer_at(3)), (None, None));
    }

    #[test]
    fn a_name_that_the_dns_has_no_room_for_is_not_there() {
        let mut questions = TxtQuestions::default();
        for octets in [253, 254, 7] {
            questions.push("a".repeat(octets));
        }
        let asked: Vec<_> = questions.queries(|name| Some(name.clone()));
        assert_eq!(asked.iter().map(|query| query.id.0).collect::<Vec<_>>(), [0, 2]);
        assert_eq!(questions.answer_at(1), Some(&Err(LookupError::NoSuchName)));
        questions.answer(QueryId(1), Err(LookupError::Timeout));
        assert_eq!(questions.answer_at(1), Some(&Err(LookupError::NoSuchName)));
    }

    #[test]
    fn without_a_name_there_is_no_question() {
        let mut questions = TxtQuestions::default();
        questions.push(None);
        questions.push(Some("b".to_owned()));
        let queries = questions.queries(Clone::clone);
        let [query] = queries.as_slice() else { panic!("{queries:?}") };
        assert_eq!((query.id, query.kind, &*query.name), (QueryId(1), QueryKind::Txt, "b"));
        questions.answer(query.id, Err(LookupError::NoRecords));
        assert!(questions.answer_at(0).is_none() && questions.answer_at(1).is_some());
    }
}
