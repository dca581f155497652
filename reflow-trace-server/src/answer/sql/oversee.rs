//! Steps of a plan that would go on for ever, or hold more than they have asked for, are looked after.
//!
//! A join of a table with itself makes rows for hours while nothing is read, so that no reader notices that
//! the time is over; a window holds all rows of its partition without counting them. Behind each such step, and
//! before each window, stands one that passes everything on, asks for each piece whether to go on, and
//! takes from the memory of the statement what is held. A step that computes many columns computes them all of one
//! piece before anybody sees the first, so pieces are cut before it.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::config::ConfigOptions;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, SendableRecordBatchStream,
};
use futures_util::{StreamExt as _, stream};
use reflow_trace::api::{ApiError, ErrorCode};

use crate::store::Watch;

/// Bytes of one piece of rows.
const PIECE_BYTES_MAX: usize = 256 << 20;

/// Puts the steps in.
pub(super) struct Oversee {
    watch: Arc<dyn Watch>,
}

impl Oversee {
    pub(super) fn new(watch: Arc<dyn Watch>) -> Self {
        Self { watch }
    }
}

impl fmt::Debug for Oversee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Oversee")
    }
}

impl PhysicalOptimizerRule for Oversee {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = plan.transform_up(|step| {
            let name = step.name().to_owned();
            if name.contains("Window") {
                let inputs = step.children();
                let held = inputs
                    .into_iter()
                    .map(|input| self.after(input, Task::Hold));
                return Ok(Transformed::yes(with_inputs(&step, held.collect())?));
            }
            let mut step = step;
            if ["Projection", "Aggregate"]
                .iter()
                .any(|kind| name.contains(kind))
            {
                let columns = step.schema().fields().len();
                let inputs = step.children().into_iter();
                let cut = inputs.map(|input| self.after(input, Task::Cut { columns }));
                step = with_inputs(&step, cut.collect())?;
            }
            let makes_rows = ["Join", "Projection", "Recursive", "Unnest", "Union"];
            if makes_rows.iter().any(|kind| name.contains(kind)) {
                step = self.after(&step, Task::Pass);
            }
            Ok(Transformed::yes(step))
        })?;
        Ok(plan.data)
    }

    fn name(&self) -> &str {
        "oversee"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

impl Oversee {
    fn after(&self, step: &Arc<dyn ExecutionPlan>, task: Task) -> Arc<dyn ExecutionPlan> {
        Arc::new(Overseen {
            input: Arc::clone(step),
            watch: Arc::clone(&self.watch),
            task,
        })
    }
}

fn with_inputs(
    step: &Arc<dyn ExecutionPlan>,
    inputs: Vec<Arc<dyn ExecutionPlan>>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    Arc::clone(step).replace_children(inputs, options)
}

/// What else is to be done with what is passed on.
#[derive(Clone, Copy, Debug)]
enum Task {
    Pass,
    /// Whoever comes next keeps it all.
    Hold,
    /// Whoever comes next makes so many columns of each piece.
    Cut {
        columns: usize,
    },
}

/// A step that passes on what its input makes.
struct Overseen {
    input: Arc<dyn ExecutionPlan>,
    watch: Arc<dyn Watch>,
    task: Task,
}

impl fmt::Debug for Overseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_as(DisplayFormatType::Default, f)
    }
}

impl DisplayAs for Overseen {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.task {
            Task::Pass => "Overseen",
            Task::Hold => "Overseen: held",
            Task::Cut { .. } => "Overseen: cut",
        })
    }
}

impl ExecutionPlan for Overseen {
    fn name(&self) -> &str {
        "Overseen"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.into_iter().next().ok_or_else(|| {
            DataFusionError::Internal("a step that passes on has an input".to_owned())
        })?;
        Ok(Arc::new(Self {
            input,
            watch: Arc::clone(&self.watch),
            task: self.task,
        }))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let held = MemoryConsumer::new("held rows").register(context.memory_pool());
        let input = self.input.execute(partition, context)?;
        let schema: SchemaRef = input.schema();
        let mut passing = Passing {
            watch: Arc::clone(&self.watch),
            held: matches!(self.task, Task::Hold).then_some(held),
        };
        let columns = match self.task {
            Task::Cut { columns } => columns,
            Task::Pass | Task::Hold => 1,
        };
        let stream = input
            .map(move |piece| passing.pass(piece?))
            .flat_map(move |piece| stream::iter(cut(piece, columns)));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, stream)))
    }
}

/// One partition of it.
struct Passing {
    watch: Arc<dyn Watch>,
    held: Option<MemoryReservation>,
}

impl Passing {
    fn pass(&mut self, piece: RecordBatch) -> Result<RecordBatch> {
        self.watch
            .go_on()
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        let bytes = piece.get_array_memory_size();
        if bytes > PIECE_BYTES_MAX {
            return Err(DataFusionError::External(Box::new(ApiError::new(
                ErrorCode::TooLarge,
                "the statement makes texts that are too long: shorten them, with `left(…, 1000)` for example",
            ))));
        }
        if let Some(held) = &mut self.held {
            held.try_grow(bytes)?;
        }
        Ok(piece)
    }
}

/// The piece in slices of which so many columns may be made.
fn cut(piece: Result<RecordBatch>, columns: usize) -> impl Iterator<Item = Result<RecordBatch>> {
    let (piece, fault) = match piece {
        Ok(piece) => (Some(piece), None),
        Err(fault) => (None, Some(Err(fault))),
    };
    let slices = piece.into_iter().flat_map(move |piece| {
        let rows = piece.num_rows();
        // Columns that are passed on as they are cost nothing; which those are is not known here.
        let bytes = piece.get_array_memory_size().saturating_mul(columns);
        let slices = bytes.div_ceil(PIECE_BYTES_MAX).max(1);
        let length = rows.div_ceil(slices).max(1);
        // A piece without rows is passed on, too.
        (0..rows.max(1))
            .step_by(length)
            .map(move |start| piece.slice(start, length.min(rows - start)))
    });
    slices.map(Ok).chain(fault)
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{ArrayRef, Int64Array};

    use super::*;

    #[test]
    fn a_piece_is_cut_so_that_no_step_makes_too_much_of_it() {
        let column: ArrayRef = Arc::new((0..1_000_000).collect::<Int64Array>());
        let piece = RecordBatch::try_from_iter([("n", column)]).expect("a piece");
        let bytes = piece.get_array_memory_size();
        for (columns, slices) in [(1, 1), (30, 1), (100, 3), (1_000, 30)] {
            let cut: Vec<_> = cut(Ok(piece.clone()), columns)
                .map(|slice| slice.expect("no fault").num_rows())
                .collect();
            assert_eq!(cut.iter().sum::<usize>(), 1_000_000);
            assert!(
                cut.len() >= slices && cut.len() <= 2 * slices,
                "{columns}: {cut:?}"
            );
            let made = bytes / piece.num_rows() * cut[0] * columns;
            assert!(made <= PIECE_BYTES_MAX, "{columns}: {made}");
        }
        let none = piece.slice(0, 0);
        assert_eq!(cut(Ok(none), 1_000).count(), 1);
        let fault = DataFusionError::Internal("on purpose".to_owned());
        assert!(cut(Err(fault), 9).all(|slice| slice.is_err()));
    }
}
