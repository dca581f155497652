//! Reading events for a statement: which parts, which of their pages, which of their columns.
//!
//! Parts are cut into stretches of time and dealt out, so that partitions have about the same to do however
//! large the segments are. Each partition reads its stretches one after the other, a page of rows at a time,
//! and asks before each whether to go on.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{BooleanArray, RecordBatch, RecordBatchOptions};
use datafusion::arrow::compute::{BatchCoalescer, filter_record_batch};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{
    Count, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
    SendableRecordBatchStream,
};

use super::column::{EventColumn, SCHEMA, View};
use super::pushed::Pushed;
use super::rows::{Events, Stored, shown};
use crate::store::columns::{Part, Pieces, Place, Wanted, Within};
use crate::store::{Effort, StoreError, TimeRange, Watch};

/// Rows of a part that are worth a stretch of its own.
const STRETCH_ROWS: u64 = 1 << 18;
/// Stretches of a large part for each partition.
const STRETCHES: u64 = 2;
/// Rows below which pieces are put together: batches of the tail may have a handful.
const SMALL_ROWS: usize = 4_096;
/// Rows of what is put together.
const TOGETHER_ROWS: usize = 8_192;

/// The plan of reading events.
pub(super) struct EventsScan {
    view: View,
    columns: Vec<EventColumn>,
    pushed: Arc<Pushed>,
    limit: Option<usize>,
    /// What each partition reads.
    shares: Arc<[Vec<Stretch>]>,
    /// Parts that are read, and parts that there are.
    parts: (usize, usize),
    places: Arc<[Place]>,
    watch: Arc<dyn Watch>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

/// A stretch of time of a part.
#[derive(Clone)]
struct Stretch {
    part: Arc<dyn Part>,
    range: TimeRange,
    /// Which of the forms of [`Pushed::either`] is looked for.
    either: Option<Within>,
    /// The first of its part, which counts its opening.
    is_first: bool,
}

impl EventsScan {
    pub(super) fn new(
        view: View,
        parts: Arc<[Arc<dyn Part>]>,
        watch: Arc<dyn Watch>,
        columns: Vec<EventColumn>,
        pushed: Pushed,
        limit: Option<usize>,
        partitions: usize,
    ) -> Result<Self> {
        let partitions = partitions.max(1);
        let segments = parts.iter().filter(|part| part.is_segment()).count();
        watch.spend(Effort {
            segments: segments as u64,
            ..Effort::default()
        });
        let mut touched: Vec<&Arc<dyn Part>> = parts
            .iter()
            .filter(|part| {
                let (first, last) = part.times_ns();
                let range = pushed.range;
                let is_something = range.start_ns < range.end_ns || range.end_ns == i64::MAX;
                is_something && first <= last && range.touches(first, last)
            })
            .collect();
        touched.sort_by_key(|part| part.times_ns());
        let mut shares = vec![Vec::new(); partitions];
        let mut next = 0;
        for part in &touched {
            for stretch in stretches(part, &pushed, partitions) {
                shares[next % partitions].push(stretch);
                next += 1;
            }
        }
        // A partition without anything to do costs more than it gains.
        shares.retain(|share| !share.is_empty());
        if shares.is_empty() {
            shares.push(Vec::new());
        }
        let is_cut = shares
            .iter()
            .flatten()
            .any(|stretch| stretch.range != TimeRange::ALL);
        let places = places(view, &columns, &pushed, is_cut);
        let schema = projected(&columns)?;
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(shares.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Self {
            view,
            columns,
            pushed: Arc::new(pushed),
            limit,
            parts: (touched.len(), parts.len()),
            shares: shares.into(),
            places: places.into(),
            watch,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }
}

/// The columns as the engine has them.
fn projected(columns: &[EventColumn]) -> Result<SchemaRef> {
    let places = columns.iter().map(|column| SCHEMA.index_of(column.name()));
    let places = places.collect::<Result<Vec<_>, _>>()?;
    Ok(Arc::new(SCHEMA.project(&places)?))
}

/// What has to be read for these columns and conditions, in the order of the schema.
fn places(view: View, columns: &[EventColumn], pushed: &Pushed, is_cut: bool) -> Vec<Place> {
    let mut places: Vec<Place> = columns
        .iter()
        .flat_map(|column| column.places(view))
        .chain(pushed.places())
        .collect();
    if view == View::DataFlows {
        places.extend([Place::kind, Place::outcome, Place::flags]);
    }
    if is_cut || places.is_empty() {
        places.push(Place::time_ns);
    }
    places.sort_unstable();
    places.dedup();
    places
}

/// The stretches in which a part is read.
fn stretches(part: &Arc<dyn Part>, pushed: &Pushed, partitions: usize) -> Vec<Stretch> {
    let (first, last) = part.times_ns();
    let range = pushed.range;
    let start = i128::from(first.max(range.start_ns));
    let end = i128::from(match range.end_ns {
        i64::MAX => last,
        end => last.min(end - 1),
    });
    let most = if partitions == 1 {
        1
    } else {
        STRETCHES * partitions as u64
    };
    let wanted = (part.rows() / STRETCH_ROWS).clamp(1, most);
    let span = end - start + 1;
    let count = i128::from(wanted).clamp(1, span.max(1));
    let mut stretches = Vec::new();
    for number in 0..count {
        let at = |number: i128| start + span * number / count;
        let is_inside = first >= range.start_ns && TimeRange::contains(&range, last);
        let range = if count == 1 && is_inside {
            TimeRange::ALL
        } else {
            // Both ends are times of 64 bits, and the end is one further at most.
            let end = at(number + 1).min(i128::from(i64::MAX));
            TimeRange {
                start_ns: at(number) as i64,
                end_ns: end as i64,
            }
        };
        let stretch = Stretch {
            part: Arc::clone(part),
            range,
            either: None,
            is_first: number == 0,
        };
        if pushed.either.is_empty() {
            stretches.push(stretch);
            continue;
        }
        for (form, within) in pushed.either.iter().enumerate() {
            stretches.push(Stretch {
                either: Some(within.clone()),
                is_first: number == 0 && form == 0,
                ..stretch.clone()
            });
        }
    }
    stretches
}

impl fmt::Debug for EventsScan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_as(DisplayFormatType::Default, f)
    }
}

impl DisplayAs for EventsScan {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (read, all) = self.parts;
        write!(
            f,
            "EventsScan: table={}, parts={read} of {all}, columns read={} of {}{}",
            self.view.name(),
            self.places.len(),
            Place::ALL.len(),
            self.pushed,
        )?;
        match self.limit {
            Some(limit) => write!(f, ", limit={limit}"),
            None => Ok(()),
        }
    }
}

impl ExecutionPlan for EventsScan {
    fn name(&self) -> &str {
        "EventsScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, partition: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let share = self.shares.get(partition).cloned().unwrap_or_default();
        let reader = Reader {
            share: share.into_iter(),
            open: None,
            view: self.view,
            columns: self.columns.clone(),
            pushed: Arc::clone(&self.pushed),
            places: Arc::clone(&self.places),
            schema: self.schema(),
            watch: Arc::new(Counting::new(
                Arc::clone(&self.watch),
                &self.metrics,
                partition,
            )),
            left: self.limit.unwrap_or(usize::MAX),
            together: BatchCoalescer::new(self.schema(), TOGETHER_ROWS),
            is_over: false,
        };
        let stream = futures_util::stream::iter(reader);
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            self.schema(),
            stream,
        )))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// Counts what a partition has cost, for `EXPLAIN ANALYZE` too.
struct Counting {
    watch: Arc<dyn Watch>,
    segments_opened: Count,
    pages: Count,
    pages_read: Count,
    rows_looked_at: Count,
    events_decoded: Count,
}

impl Counting {
    fn new(watch: Arc<dyn Watch>, metrics: &ExecutionPlanMetricsSet, partition: usize) -> Self {
        let count = |name| MetricBuilder::new(metrics).counter(name, partition);
        Self {
            watch,
            segments_opened: count("segments_opened"),
            pages: count("pages"),
            pages_read: count("pages_read"),
            rows_looked_at: count("rows_looked_at"),
            events_decoded: count("events_decoded"),
        }
    }
}

impl Watch for Counting {
    fn go_on(&self) -> Result<(), StoreError> {
        self.watch.go_on()
    }

    fn spend(&self, effort: Effort) {
        let add = |count: &Count, more: u64| count.add(usize::try_from(more).unwrap_or(usize::MAX));
        add(&self.segments_opened, effort.segments_opened);
        add(&self.pages, effort.pages);
        add(&self.pages_read, effort.pages_read);
        add(&self.rows_looked_at, effort.rows_looked_at);
        add(&self.events_decoded, effort.events_decoded);
        self.watch.spend(effort);
    }
}

/// A further stretch of a part, or what is read of one again: neither opens anything, nor are its rows new.
struct Again(Arc<dyn Watch>);

impl Watch for Again {
    fn go_on(&self) -> Result<(), StoreError> {
        self.0.go_on()
    }

    fn spend(&self, effort: Effort) {
        self.0.spend(Effort {
            segments_opened: 0,
            pages: 0,
            ..effort
        });
    }
}

/// One partition.
struct Reader {
    share: std::vec::IntoIter<Stretch>,
    open: Option<Open>,
    view: View,
    columns: Vec<EventColumn>,
    pushed: Arc<Pushed>,
    places: Arc<[Place]>,
    schema: SchemaRef,
    watch: Arc<dyn Watch>,
    /// Rows that are still wanted.
    left: usize,
    together: BatchCoalescer,
    is_over: bool,
}

/// A stretch that is being read.
struct Open {
    stretch: Stretch,
    pieces: Pieces,
    /// How many were taken.
    taken: usize,
    /// The same with all columns, and how many were taken of it.
    whole: Option<(Pieces, usize)>,
}

impl Iterator for Reader {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let next = self.step().transpose();
        self.is_over = !matches!(next, Some(Ok(_)));
        next
    }
}

impl Reader {
    fn step(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(together) = self.together.next_completed_batch() {
                return Ok(Some(together));
            }
            if self.left == 0 {
                return self.rest();
            }
            let Some(mut piece) = self.piece()? else {
                return self.rest();
            };
            if piece.num_rows() > self.left {
                piece = piece.slice(0, self.left);
            }
            self.left -= piece.num_rows();
            if piece.num_rows() == 0 {
                continue;
            }
            // One that is large goes as it is; nobody said that rows come in an order.
            if piece.num_rows() >= SMALL_ROWS || self.columns.is_empty() {
                return Ok(Some(piece));
            }
            self.together.push_batch(piece)?;
        }
    }

    /// What was put together and is not full.
    fn rest(&mut self) -> Result<Option<RecordBatch>> {
        self.left = 0;
        self.share = Vec::new().into_iter();
        self.open = None;
        self.together.finish_buffered_batch()?;
        Ok(self.together.next_completed_batch())
    }

    /// The next rows of any stretch, as SQL shows them.
    fn piece(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if self.open.is_none() {
                let Some(stretch) = self.share.next() else {
                    return Ok(None);
                };
                let watch = self.watch_of(&stretch);
                let pieces = self.read(&stretch, self.places.to_vec(), watch)?;
                self.open = Some(Open {
                    stretch,
                    pieces,
                    taken: 0,
                    whole: None,
                });
            }
            let piece = self.open.as_mut().and_then(|open| {
                open.taken += 1;
                open.pieces.next()
            });
            match piece {
                Some(piece) => return self.shown(piece.map_err(of_store)?).map(Some),
                None => self.open = None,
            }
        }
    }

    fn watch_of(&self, stretch: &Stretch) -> Arc<dyn Watch> {
        if stretch.is_first {
            Arc::clone(&self.watch)
        } else {
            Arc::new(Again(Arc::clone(&self.watch)))
        }
    }

    fn read(&self, stretch: &Stretch, places: Vec<Place>, watch: Arc<dyn Watch>) -> Result<Pieces> {
        let mut within = self.pushed.within.clone();
        within.extend(stretch.either.clone());
        let wanted = Wanted {
            range: stretch.range,
            within,
            places,
        };
        stretch.part.read(&wanted, watch).map_err(of_store)
    }

    fn shown(&mut self, piece: RecordBatch) -> Result<RecordBatch> {
        let places = Arc::clone(&self.places);
        let stored = Stored {
            batch: &piece,
            places: &places,
        };
        let mask = self.mask(stored)?;
        let kept = match &mask {
            Some(mask) => filter_record_batch(&piece, mask)?,
            None => piece,
        };
        let stored = Stored {
            batch: &kept,
            places: &places,
        };
        let rows = kept.num_rows();
        let events = if rows == 0 {
            Events::default()
        } else {
            let needed = stored.need_event(self.view, &self.columns)?;
            self.events(&kept, mask.as_ref(), needed)?
        };
        let columns = self
            .columns
            .iter()
            .map(|&column| shown(stored, &events, self.view, column));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(
            Arc::clone(&self.schema),
            columns,
            &options,
        )?)
    }

    /// Which rows are worth showing; `None`: all of them.
    fn mask(&self, stored: Stored<'_>) -> Result<Option<BooleanArray>> {
        let mut mask = vec![true; stored.batch.num_rows()];
        let stretch = self.open.as_ref().map(|open| &open.stretch);
        if let Some(range) = stretch.map(|stretch| stretch.range)
            && range != TimeRange::ALL
        {
            let times = stored.column(Place::time_ns)?;
            let times = datafusion::arrow::array::cast::as_primitive_array::<
                datafusion::arrow::datatypes::TimestampNanosecondType,
            >(times)
            .values();
            for (is_left, &time) in mask.iter_mut().zip(times) {
                *is_left = range.contains(time);
            }
        }
        let either = stretch.and_then(|stretch| stretch.either.as_ref());
        for within in self.pushed.within.iter().chain(either) {
            within.narrow(stored.column(within.place)?, &mut mask);
        }
        if self.view == View::DataFlows {
            stored.keep_data_flows(&mut mask)?;
        }
        let is_whole = mask.iter().all(|is_left| *is_left);
        Ok((!is_whole).then(|| BooleanArray::from(mask)))
    }

    /// The events of some rows of the piece that was taken last.
    fn events(
        &mut self,
        kept: &RecordBatch,
        mask: Option<&BooleanArray>,
        needed: Vec<usize>,
    ) -> Result<Events> {
        if needed.is_empty() {
            return Ok(Events::default());
        }
        self.watch.spend(Effort {
            events_decoded: needed.len() as u64,
            ..Effort::default()
        });
        if self.places.len() == Place::ALL.len() {
            return Events::read(kept.clone(), needed).map_err(of_store);
        }
        let whole = self.whole()?;
        let kept = match mask {
            Some(mask) => filter_record_batch(&whole, mask)?,
            None => whole,
        };
        Events::read(kept, needed).map_err(of_store)
    }

    /// The piece that was taken last, with all columns. The same is wanted of the same part, so that it
    /// comes in the same pieces.
    fn whole(&mut self) -> Result<RecordBatch> {
        let lost = || {
            of_store(StoreError::damaged(
                "a part",
                "it was read twice and was not the same",
            ))
        };
        let mut open = self.open.take().ok_or_else(lost)?;
        let (mut pieces, mut taken) = match open.whole.take() {
            Some(whole) => whole,
            None => {
                let watch = Arc::new(Again(Arc::clone(&self.watch)));
                (self.read(&open.stretch, Place::ALL.to_vec(), watch)?, 0)
            }
        };
        let mut piece = None;
        while taken < open.taken {
            piece = pieces.next();
            taken += 1;
        }
        open.whole = Some((pieces, taken));
        self.open = Some(open);
        piece.ok_or_else(lost)?.map_err(of_store)
    }
}

/// A fault of the store as one of the engine; [`error`](super::super::error) takes it out again.
fn of_store(error: StoreError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
